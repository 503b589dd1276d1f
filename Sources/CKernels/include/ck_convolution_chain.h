#ifndef CK_CONVOLUTION_CHAIN_H
#define CK_CONVOLUTION_CHAIN_H

#include "ck_convolution.h"

/// One convolution of a chain.
typedef struct ck_chain_layer {
    ck_convolution convolution; ///< batch and algorithm are not read
    bool has_bias;
} ck_chain_layer;

/// Convolutions that feed each other, for few channels and many layers: a group of images runs through all of them on
/// one thread, forward as backward, with no barrier in between.
///
/// Every layer but the first has stride 1, and reads what the one before writes: height, width and channels are its
/// out_height, out_width and out_channels. The first may have any stride if nobody needs the gradient of its input.
///
/// z0, dz0     [batch][height][width][channels] of the first layer
/// y, dy       [batch][out_height][out_width][out_channels] of the last
/// parameters  of all layers in order, for each: weights, bias if it has one, slopes if its activation has any; as for
/// ck_convolution kept        what forward leaves for backward and for ck_convolution_chain_output, in a layout of its
/// own
typedef struct ck_convolution_chain {
    int64_t batch;
    int64_t layer_count;
    const ck_chain_layer *layers;
    bool gives_input_gradient; ///< backward writes dz0 and the first layer's slopes' gradients
} ck_convolution_chain;

/// NULL if the kernels take this descriptor, otherwise a short reason (static text).
const char *ck_convolution_chain_check(const ck_convolution_chain *chain);

/// Bytes of `kept`; aligned to 64 bytes.
size_t ck_convolution_chain_kept(const ck_convolution_chain *chain);

/// Of forward and backward alike.
size_t ck_convolution_chain_scratch(const ck_convolution_chain *chain);

/// y, bit for bit what ck_convolution_forward with CK_DIRECT gives layer by layer.
void ck_convolution_chain_forward(
    const ck_convolution_chain *chain, const float *z0, const float *const *parameters, float *y, void *kept,
    void *scratch);

/// The gradients of all parameters (overwritten), in the order of `parameters`, and, if the chain gives it, dz0 (added
/// to if `accumulate`; may be NULL).
void ck_convolution_chain_backward(
    const ck_convolution_chain *chain, const float *const *parameters, const float *dy, const void *kept, float *dz0,
    bool accumulate, float *const *gradients, void *scratch);

/// Copies the output of a layer, any but the last, from `kept`: [batch][out_height][out_width][out_channels].
void ck_convolution_chain_output(const ck_convolution_chain *chain, const void *kept, int64_t layer, float *output);

#endif
