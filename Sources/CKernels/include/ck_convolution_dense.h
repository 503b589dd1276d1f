#ifndef CK_CONVOLUTION_DENSE_H
#define CK_CONVOLUTION_DENSE_H

#include "ck_convolution.h"
#include "ck_dense.h"

/// A convolution and the dense layer that is the only reader of the convolution's output, through an activation. The
/// pair is for a convolution of the network's input with few terms in a sum, and for few outputs: then the tensor
/// between the two layers is most of the memory and hardly any of the arithmetic. This tensor is never stored. Backward
/// computes the tensor again.
///
///   input        [batch][height][width][channels] of the convolution; nobody needs the gradient of the input
///   weights      of the convolution, [kernel_h][kernel_w][channels][out_channels]
///   bias         of the convolution, [out_channels], may be NULL
///   y, dy        [batch][out_features]
///   dense_weights, dense_bias  as for a ck_dense of the convolution's output and `activation`; dense_bias may be NULL
typedef struct ck_convolution_dense {
    ck_convolution convolution; ///< its activation has to be none; its algorithm is not read
    ck_activation activation;   ///< of the convolution's output; without learned slopes
    int64_t out_features;       ///< 1 … CK_MAX_INTO_DENSE_FEATURES
} ck_convolution_dense;

enum {
    CK_MAX_INTO_DENSE_FEATURES = 16,
    CK_MAX_INTO_DENSE_TERMS = 128, ///< kernel_h·kernel_w·channels of the convolution
};

/// NULL if the kernels take this descriptor, otherwise a short reason (static text).
const char *ck_convolution_dense_check(const ck_convolution_dense *pair);

size_t ck_convolution_dense_scratch(const ck_convolution_dense *pair, ck_pass pass);

void ck_convolution_dense_forward(
    const ck_convolution_dense *pair, const float *input, const float *weights, const float *bias,
    const float *dense_weights, const float *dense_bias, float *y, void *scratch);

/// All gradients are overwritten; dbias and ddense_bias may be NULL.
void ck_convolution_dense_backward(
    const ck_convolution_dense *pair, const float *input, const float *weights, const float *bias,
    const float *dense_weights, const float *dy, float *dweights, float *dbias, float *ddense_weights,
    float *ddense_bias, void *scratch);

#endif
