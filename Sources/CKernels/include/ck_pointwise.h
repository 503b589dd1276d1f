#ifndef CK_POINTWISE_H
#define CK_POINTWISE_H

#include "ck_convolution.h"
#include "ck_normalization.h"
#include "ck_post_ops.h"

// 1×1 convolutions without padding, as one product over all pixels. They move much memory for few multiplications, so
// what stands beside them is computed while their pixels are in the cache: the sum with a shortcut, and in the backward
// pass the gradients of weights and input in one sweep.

/// True if the kernels below take this convolution (one that ck_convolution_check takes): 1×1, no padding, no learned
/// slopes.
bool ck_pointwise_check(const ck_convolution *convolution);

/// Scratch of either pass.
size_t ck_pointwise_scratch(const ck_convolution *convolution);

/// Rows (output pixels) in each part of the moments that the forward pass gives.
int64_t ck_pointwise_moments_rows(const ck_convolution *convolution);

/// Doubles that those moments take; never fewer for a larger batch.
size_t ck_pointwise_moments_count(const ck_convolution *convolution);

/// y as ck_convolution_forward, then `post_ops` or NULL; with `moments` (or NULL) those of y, for a normalisation that
/// reads it.
void ck_pointwise_forward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *bias,
    const ck_post_ops *post_ops, float *y, double *moments, void *scratch);

/// dz = Σ_m member_m′(z)·(gradient of member m), added to dz if `accumulate`, skipped if dz is NULL; dweights and, if
/// not NULL, dbias, overwritten. `dactivation`, if not NULL, is what another consumer found for the gradient of the
/// activation, [batch][height][width][K]; it counts as part of it, and takes strides of 1. With `normalization`, of
/// which y was the input, dy is the gradient of that one's output.
void ck_pointwise_backward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *dy,
    const ck_normalization_gradient *normalization, const float *dactivation, float *dz, bool accumulate,
    float *dweights, float *dbias, void *scratch);

#endif
