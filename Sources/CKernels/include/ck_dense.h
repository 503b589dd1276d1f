#ifndef CK_DENSE_H
#define CK_DENSE_H

#include "ck_activation.h"
#include "ck_convolution.h"

/// A dense layer y[b][n] = bias[n] + Σ_i a[b][i]·w[i][n] on a flattened activation a = activation(z):
/// z is [batch][positions][channels], and i = position·K + m·channels + c with K = member_count·channels, which is the
/// order of a flattened NHWC activation. A plain vector has positions = 1.
///
/// weights   [positions·K][out_features]
/// bias      [out_features], may be NULL
/// y, dy     [batch][out_features]
typedef struct ck_dense {
    int64_t batch, positions, channels, out_features;
    ck_activation activation;
} ck_dense;

/// NULL if the kernels take this descriptor, otherwise a short reason (static text).
const char *ck_dense_check(const ck_dense *dense);

size_t ck_dense_scratch(const ck_dense *dense, ck_pass pass);

void ck_dense_forward(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *bias, float *y,
    void *scratch);

/// As ck_convolution_backward.
void ck_dense_backward(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *dy, float *dz,
    bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch);

#endif
