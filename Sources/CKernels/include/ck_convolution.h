#ifndef CK_CONVOLUTION_H
#define CK_CONVOLUTION_H

#include "ck_activation.h"

/// How a convolution is computed.
typedef enum ck_algorithm {
    CK_DIRECT = 0,   ///< implicit GEMM over packed weights
    CK_WINOGRAD = 1, ///< for 3×3 kernels: F(4×4, 3×3) or F(5×5, 3×3) with stride 1, in phases with stride 2
} ck_algorithm;

typedef enum ck_pass {
    CK_FORWARD = 0,
    CK_BACKWARD = 1,
} ck_pass;

/// A 2-D convolution that reads a pre-activation z and forms its activation while packing:
///   y[b][oy][ox][n] = bias[n] + Σ_{ky,kx,k} a[b][oy·stride_h + ky − pad_top][ox·stride_w + kx − pad_left][k] ·
///   w[ky][kx][k][n]
/// where a = activation(z), k = m·channels + c runs over K = member_count·channels, and a is 0 outside the image
/// (the padding pads the activation, not z).
///
/// z, dz     [batch][height][width][channels]
/// weights   [kernel_h][kernel_w][K][out_channels]
/// bias      [out_channels], may be NULL
/// y, dy     [batch][out_height][out_width][out_channels]
typedef struct ck_convolution {
    int64_t batch, height, width, channels;
    int64_t out_height, out_width, out_channels;
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t pad_top, pad_left; ///< rows and columns past the bottom and right edge follow from the output size
    ck_activation activation;
    ck_algorithm algorithm;
    /// Other threads make calls of their own meanwhile, so the call has one thread or a team of a few. No sum is split
    /// into parts for threads to share.
    bool single_threaded;
} ck_convolution;

/// NULL if the kernels take this descriptor for every pass, otherwise a short reason (static text).
const char *ck_convolution_check(const ck_convolution *convolution);

/// The algorithm that should be the fastest one for a pass over a valid descriptor. The descriptor's own `algorithm`
/// does not count. A function of shapes alone (docs/kernels.md describes the model).
ck_algorithm ck_convolution_choose(const ck_convolution *convolution, ck_pass pass);

/// The pixels of y along one side of a tile that a pass of the descriptor's own algorithm computes together.
/// CK_WINOGRAD has tiles of 4 or of 5, whichever takes fewer multiplications for the size of the image; CK_DIRECT has
/// 1. A function of shapes alone, and not of the batch.
int64_t ck_convolution_tile(const ck_convolution *convolution, ck_pass pass);

size_t ck_convolution_scratch(const ck_convolution *convolution, ck_pass pass);

void ck_convolution_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch);

/// dz = Σ_m member_m′(z)·(gradient of member m), added to dz if `accumulate`. dslopes, dweights and dbias are
/// overwritten. A gradient whose pointer is NULL is not computed. dbias is computed with dweights only.
void ck_convolution_backward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch);

#endif
