#ifndef CK_NORMALIZATION_H
#define CK_NORMALIZATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ck_post_ops.h"

/// Batch normalisation over the rows of x [rows][channels], rows = batch·height·width (Ioffe and Szegedy 2015).
typedef struct ck_batch_norm {
    int64_t rows, channels;
    float epsilon;
} ck_batch_norm;

/// Scratch of either training pass.
size_t ck_batch_norm_scratch(const ck_batch_norm *norm);

/// Means, and sums of squared deviations from these means, of the channels of a tensor, for every `part_rows` rows:
/// values [part][mean, squares][channels]. The last part may have fewer rows. The kernel that writes the tensor finds
/// the moments while the rows are in the cache.
typedef struct ck_moments {
    double *values;
    int64_t part_rows;
} ck_moments;

/// Training: mean[c] and the biased variance over the rows, inverse_deviation[c] = 1/√(variance + ε), y = gamma·(x −
/// mean)·inverse_deviation + beta, then `post_ops`, which may be NULL. The running statistics move: running =
/// momentum·running + (1 − momentum)·(the batch's). The running variance takes the biased variance, as Keras has it,
/// unless `unbiased_running_variance` (PyTorch: variance·rows/(rows − 1)). Sums are accurate to a few ε whatever the
/// mean is (two passes, or compensated). `moments` are the moments of x. If `moments` or its values are NULL, x is read
/// once more. y may be x.
void ck_batch_norm_forward_training(
    const ck_batch_norm *norm, const float *x, const ck_moments *moments, const float *gamma, const float *beta,
    float momentum, bool unbiased_running_variance, float *running_mean, float *running_variance, float *mean,
    float *inverse_deviation, const ck_post_ops *post_ops, float *y, void *scratch);

/// y = gamma·(x − running_mean)/√(running_variance + ε) + beta, then `post_ops` or NULL. y may be x.
void ck_batch_norm_forward_inference(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *beta, const float *running_mean,
    const float *running_variance, const ck_post_ops *post_ops, float *y);

/// Gradients of the training pass: dx (overwritten, or added to if `accumulate`; may be NULL), dgamma and dbeta
/// (overwritten).
void ck_batch_norm_backward(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *dx, bool accumulate, float *dgamma, float *dbeta, void *scratch);

/// The gradient of the input x of a normalisation as a function of the gradient dy of its output: dx = scale·dy −
/// slope·(x − center) − shift. All but x are [channels]. A kernel that reads dy can form dx from these terms, and then
/// dx is not stored.
typedef struct ck_normalization_gradient {
    const float *x, *center, *scale, *slope, *shift;
} ck_normalization_gradient;

/// As ck_batch_norm_backward, but gives the terms of dx, [3][channels]: scale, slope, shift. The center is the mean.
void ck_batch_norm_backward_terms(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *terms, float *dgamma, float *dbeta, void *scratch);

#endif
