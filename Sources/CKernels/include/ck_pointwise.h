#ifndef CK_POINTWISE_H
#define CK_POINTWISE_H

#include "ck_convolution.h"
#include "ck_normalization.h"
#include "ck_post_ops.h"

// 1×1 convolutions without padding, as one product over all pixels. They move much memory for few multiplications.
// Therefore other work on the same pixels is done while the pixels are in the cache: the sum with a shortcut, and, in
// the backward pass, the gradients of weights and input in one sweep.

/// True if the kernels below take this convolution, which has to be a valid one: 1×1, no padding, no learned slopes.
bool ck_pointwise_check(const ck_convolution *convolution);

/// Scratch of either pass.
size_t ck_pointwise_scratch(const ck_convolution *convolution);

/// Rows (output pixels) in each part of the moments that the forward pass gives.
int64_t ck_pointwise_moments_rows(const ck_convolution *convolution);

/// Doubles that those moments take; never fewer for a larger batch.
size_t ck_pointwise_moments_count(const ck_convolution *convolution);

/// y as ck_convolution_forward gives it, then `post_ops`, which may be NULL. If `moments` is not NULL, the function
/// writes the moments of y there, for a normalisation that reads y.
void ck_pointwise_forward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *bias,
    const ck_post_ops *post_ops, float *y, double *moments, void *scratch);

/// dz = Σ_m member_m′(z)·(gradient of member m), added to dz if `accumulate`, skipped if dz is NULL. dweights and dbias
/// are overwritten; dbias may be NULL. `dactivation`, [batch][height][width][K], is the gradient of the activation that
/// another reader of the activation found; this gradient is added to the gradients of the members. `dactivation` is
/// given only where each pixel of z gives one pixel of y: strides are 1, and y has the height and the width of z.
/// `dactivation` may be NULL. Without `normalization`, dy is the gradient of y. With `normalization`, y is the input of
/// a normalisation, dy is the gradient of the output of that normalisation, and the function forms the gradient of y.
void ck_pointwise_backward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *dy,
    const ck_normalization_gradient *normalization, const float *dactivation, float *dz, bool accumulate,
    float *dweights, float *dbias, void *scratch);

#endif
