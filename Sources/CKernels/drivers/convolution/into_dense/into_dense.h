#ifndef CK_CONVOLUTION_DENSE_DRIVER_H
#define CK_CONVOLUTION_DENSE_DRIVER_H

#include "drivers/convolution/shape.h"
#include "include/ck_convolution_dense.h"
#include "include/ck_plans.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

// The parts that forward and backward of a convolution into a dense layer share. The pixels of the output are divided
// into ranges, and a task takes a range for all images of the batch.
//   planes   the padded input with the images as columns: [rows][columns][channels][image_stride]
//   packed   the bias and the weights of the convolution, in blocks of filters: [block][1 + terms][INTO_DENSE_COLUMNS]
//   patch    the terms of the sum for one pixel: [1 + terms][image_stride], beginning with ones for the bias
// The values in the padding of image_stride and of the last block of filters never reach a result.

typedef struct into_dense_sizes {
    int64_t terms;          ///< of a sum, without the bias
    int64_t pixels, inputs; ///< of the convolution's output, and of the dense layer for each of them
    int64_t rows, columns;  ///< of the padded input
    int64_t image_stride;
    int64_t blocks, block_floats; ///< of filters
    int64_t tasks, task_pixels, workers;
} into_dense_sizes;

into_dense_sizes ck_into_dense_sizes(const ck_convolution_dense *pair);

static inline int64_t into_dense_plane_floats(const into_dense_sizes *sizes, const ck_convolution *c) {
    return sizes->rows * sizes->columns * c->channels * sizes->image_stride;
}
static inline int64_t into_dense_packed_floats(const into_dense_sizes *sizes) {
    return sizes->blocks * sizes->block_floats;
}
static inline int64_t into_dense_patch_floats(const into_dense_sizes *sizes) {
    return (1 + sizes->terms) * sizes->image_stride;
}

/// The start of the block whose first filter is `filter`.
static inline int64_t into_dense_block_start(const into_dense_sizes *sizes, int64_t filter) {
    return filter / INTO_DENSE_COLUMNS * sizes->block_floats;
}

/// The index of the input of the dense layer that holds the first member of a filter.
static inline int64_t into_dense_first_input(const into_dense_sizes *sizes, int64_t pixel, int64_t filter) {
    return pixel * sizes->inputs + filter;
}

/// Fills `planes` and `packed`.
void ck_into_dense_prepare(
    const ck_kernels *kernels, const ck_convolution_dense *pair, const into_dense_sizes *sizes, const float *input,
    const float *weights, const float *bias, float *planes, float *packed);

/// Writes the ones of a patch. The ones stay while the patches of other pixels replace each other.
void ck_into_dense_patch_ones(const into_dense_sizes *sizes, float *patch);

/// Writes the rest of a pixel's patch.
void ck_into_dense_patch(
    const ck_convolution_dense *pair, const into_dense_sizes *sizes, const float *planes, int64_t pixel, float *patch);

/// Prefetches `count` floats that will be read, or overwritten, soon.
static inline void into_dense_fetch(const float *start, int64_t count) {
    for (int64_t i = 0; i < count; i += CACHE_LINE_FLOATS) __builtin_prefetch(start + i, 0, 3);
}
static inline void into_dense_fetch_to_write(const float *start, int64_t count) {
    for (int64_t i = 0; i < count; i += CACHE_LINE_FLOATS) __builtin_prefetch(start + i, 1, 2);
}

/// Counts the operations of `passes` passes over `pixels` pixels. A pass computes each convolution and each dense
/// product once.
static inline void into_dense_count(const ck_convolution_dense *pair, int64_t pixels, int64_t passes) {
    const ck_convolution *c = &pair->convolution;
    const int64_t terms = c->kernel_h * c->kernel_w * c->channels + pair->activation.member_count * pair->out_features;
    ck_count_operations(2 * passes * pixels * c->batch * c->out_channels * terms);
}

size_t ck_into_dense_forward_scratch(const ck_convolution_dense *pair);
size_t ck_into_dense_backward_scratch(const ck_convolution_dense *pair);

void ck_into_dense_forward_loops(const ck_convolution_dense *pair, ck_plan *loops);
void ck_into_dense_backward_loops(const ck_convolution_dense *pair, ck_plan *loops);

/// Multiplications and additions of a pass that computes each convolution and each dense product once.
double ck_into_dense_work(const ck_convolution_dense *pair);

#endif
