#ifndef CK_CONVOLUTION_CHAIN_H
#define CK_CONVOLUTION_CHAIN_H

#include "ck_convolution.h"

/// One convolution of a chain.
typedef struct ck_chain_layer {
    ck_convolution convolution; ///< batch and algorithm are not read
    bool has_bias;
} ck_chain_layer;

/// Convolutions that feed each other, for few channels and many layers. A group of images runs through all layers on
/// one thread, forward as backward, with no barrier in between. If there are fewer groups than threads, threads share
/// the layers of each group. The results have the same bits.
///
/// Every layer but the first one has stride 1 and reads the output of the layer before: height, width and channels are
/// the out_height, the out_width and the out_channels of that layer. The first layer may have any stride if nobody
/// needs the gradient of its input.
///
///   z0, dz0     [batch][height][width][channels] of the first layer
///   y, dy       [batch][out_height][out_width][out_channels] of the last layer
///   parameters  of all layers in order. A layer has weights, a bias if `has_bias`, and slopes if its activation has
///               any, with the layouts of ck_convolution.
///   saved       the values that forward leaves for backward and for ck_convolution_chain_output, in a layout of the
///               kernels
typedef struct ck_convolution_chain {
    int64_t batch;
    int64_t layer_count;
    const ck_chain_layer *layers;
    bool gives_input_gradient; ///< backward writes dz0 and the first layer's slopes' gradients
} ck_convolution_chain;

/// NULL if the kernels take this descriptor, otherwise a short reason (static text).
const char *ck_convolution_chain_check(const ck_convolution_chain *chain);

/// Bytes of `saved`; aligned to 64 bytes.
size_t ck_convolution_chain_saved(const ck_convolution_chain *chain);

/// Of forward and backward alike.
size_t ck_convolution_chain_scratch(const ck_convolution_chain *chain);

/// y has the bits that ck_convolution_forward with CK_DIRECT gives layer by layer.
void ck_convolution_chain_forward(
    const ck_convolution_chain *chain, const float *z0, const float *const *parameters, float *y, void *saved,
    void *scratch);

/// The gradients of all parameters are overwritten, in the order of `parameters`. If the chain gives the gradient of
/// its input, dz0 is written, or added to if `accumulate`; dz0 may be NULL.
void ck_convolution_chain_backward(
    const ck_convolution_chain *chain, const float *const *parameters, const float *dy, const void *saved, float *dz0,
    bool accumulate, float *const *gradients, void *scratch);

/// Copies the output of a layer, any but the last, from `saved`: [batch][out_height][out_width][out_channels].
void ck_convolution_chain_output(const ck_convolution_chain *chain, const void *saved, int64_t layer, float *output);

#endif
