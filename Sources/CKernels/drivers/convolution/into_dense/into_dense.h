#ifndef CK_CONVOLUTION_DENSE_DRIVER_H
#define CK_CONVOLUTION_DENSE_DRIVER_H

#include "drivers/convolution/shape.h"
#include "include/ck_convolution_dense.h"
#include "include/ck_plans.h"
#include "runtime/threads.h"

// What forward and backward of a convolution into a dense layer share. The output's pixels are divided into ranges, and
// a task takes a range for all images of the batch.
//   planes   the padded input with the images as columns: [rows][columns][channels][image_stride]
//   packed   the convolution's bias and weights, in blocks of filters: [block][1 + terms][CK_FUSED_COLUMNS]
//   patch    what a pixel's output is a sum over: [1 + terms][image_stride], beginning with ones for the bias
// What stands in the padding of image_stride and of the last block of filters never reaches a result.

typedef struct fused_sizes {
    int64_t terms;          ///< of a sum, without the bias
    int64_t pixels, inputs; ///< of the convolution's output, and of the dense layer for each of them
    int64_t rows, columns;  ///< of the padded input
    int64_t image_stride;
    int64_t blocks, block_floats; ///< of filters
    int64_t tasks, task_pixels, workers;
} fused_sizes;

fused_sizes ck_fused_sizes(const ck_convolution_dense *fused);

static inline int64_t fused_plane_floats(const fused_sizes *sizes, const ck_convolution *c) {
    return sizes->rows * sizes->columns * c->channels * sizes->image_stride;
}
static inline int64_t fused_packed_floats(const fused_sizes *sizes) { return sizes->blocks * sizes->block_floats; }
static inline int64_t fused_patch_floats(const fused_sizes *sizes) { return (1 + sizes->terms) * sizes->image_stride; }

/// Where the block of a filter, a block's first, begins.
static inline int64_t fused_block_start(const fused_sizes *sizes, int64_t filter) {
    return filter / CK_FUSED_COLUMNS * sizes->block_floats;
}

/// The dense layer's input that a filter's first member is.
static inline int64_t fused_first_input(const fused_sizes *sizes, int64_t pixel, int64_t filter) {
    return pixel * sizes->inputs + filter;
}

/// Fills `planes` and `packed`.
void ck_fused_prepare(
    const ck_kernels *kernels, const ck_convolution_dense *fused, const fused_sizes *sizes, const float *input,
    const float *weights, const float *bias, float *planes, float *packed);

/// Writes the ones, which stay while patches come and go.
void ck_fused_patch_ones(const fused_sizes *sizes, float *patch);

/// Writes the rest of a pixel's patch.
void ck_fused_patch(
    const ck_convolution_dense *fused, const fused_sizes *sizes, const float *planes, int64_t pixel, float *patch);

/// Asks for `count` floats that will be read, or overwritten, soon.
static inline void fused_fetch(const float *start, int64_t count) {
    for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(start + i, 0, 3);
}
static inline void fused_fetch_to_write(const float *start, int64_t count) {
    for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(start + i, 1, 2);
}

size_t ck_fused_forward_scratch(const ck_convolution_dense *fused);
size_t ck_fused_backward_scratch(const ck_convolution_dense *fused);

void ck_fused_forward_loops(const ck_convolution_dense *fused, ck_plan *loops);
void ck_fused_backward_loops(const ck_convolution_dense *fused, ck_plan *loops);

/// Multiplications and additions of a pass that computes each convolution and each dense product once.
double ck_fused_work(const ck_convolution_dense *fused);

#endif
