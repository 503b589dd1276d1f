#ifndef CK_CONVOLUTION_DRIVER_H
#define CK_CONVOLUTION_DRIVER_H

#include "drivers/gemm.h"
#include "drivers/plane.h"
#include "include/ck_convolution.h"

// What the passes of the direct algorithm share, and the algorithms' drivers.

size_t ck_direct_forward_scratch(const ck_convolution *convolution);
size_t ck_direct_backward_data_scratch(const ck_convolution *convolution);
size_t ck_direct_backward_weights_scratch(const ck_convolution *convolution);

void ck_direct_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch);

/// One of dz and dslopes may be NULL.
void ck_direct_backward_data(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, void *scratch);

/// dbias may be NULL.
void ck_direct_backward_weights(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *dy, float *dweights,
    float *dbias, void *scratch);

/// Bytes of a packed plane that leave the L2 cache room for weights and results.
enum { PLANE_BYTES = 512 << 10 };

/// Fewer tasks than this would leave threads idle; images are cut into bands until there are as many.
enum { TASKS_WANTED = 8 };

static inline int64_t convolution_depth(const ck_convolution *convolution) {
    return convolution->activation.member_count * convolution->channels;
}

static inline window_axis convolution_rows(const ck_convolution *convolution) {
    return (window_axis){convolution->out_height, convolution->kernel_h, convolution->stride_h, convolution->pad_top};
}

static inline window_axis convolution_columns(const ck_convolution *convolution) {
    return (window_axis){convolution->out_width, convolution->kernel_w, convolution->stride_w, convolution->pad_left};
}

/// Multiplications and additions of one pass.
static inline double convolution_work(const ck_convolution *convolution) {
    return 2.0 * (double)convolution->batch * (double)convolution->out_height * (double)convolution->out_width
        * (double)convolution->kernel_h * (double)convolution->kernel_w * (double)convolution_depth(convolution)
        * (double)convolution->out_channels;
}

#endif
