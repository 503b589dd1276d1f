#ifndef CK_CONVOLUTION_SHAPE_H
#define CK_CONVOLUTION_SHAPE_H

#include "drivers/shared/plane.h"
#include "include/ck_convolution.h"

// The shape arithmetic that the drivers of all convolutions share.

/// Bytes of a packed plane that leave the L2 cache room for weights and results.
enum { PLANE_BYTES = 512 << 10 };

/// Fewer tasks than this would leave threads idle. Images are cut into bands until there are as many tasks.
enum { TASKS_WANTED = 8 };

static inline int64_t convolution_depth(const ck_convolution *convolution) {
    return convolution->activation.member_count * convolution->channels;
}

/// The extent of an image of z.
static inline activation_extent convolution_image(const ck_convolution *convolution) {
    return (activation_extent){convolution->height * convolution->width, convolution->channels};
}

static inline window_axis convolution_rows(const ck_convolution *convolution) {
    return (window_axis){convolution->out_height, convolution->kernel_h, convolution->stride_h, convolution->pad_top};
}

static inline window_axis convolution_columns(const ck_convolution *convolution) {
    return (window_axis){convolution->out_width, convolution->kernel_w, convolution->stride_w, convolution->pad_left};
}

/// The rows and columns of the image with its padding, as far as windows reach.
static inline int64_t convolution_padded_rows(const ck_convolution *c) {
    return max_of((c->out_height - 1) * c->stride_h + c->kernel_h, c->pad_top + c->height);
}
static inline int64_t convolution_padded_columns(const ck_convolution *c) {
    return max_of((c->out_width - 1) * c->stride_w + c->kernel_w, c->pad_left + c->width);
}

/// The largest scratch of the convolution's batch, and of each smaller batch below `batches`: a plan may need more for
/// fewer images. From `batches` on, more images never need less.
static inline size_t largest_scratch(
    const ck_convolution *convolution, int64_t batches,
    size_t (*scratch_for_batch)(const ck_convolution *convolution, int64_t batch)) {
    size_t largest = scratch_for_batch(convolution, convolution->batch);
    for (int64_t batch = 1; batch < min_of(convolution->batch, batches); batch++)
        largest = larger_size(largest, scratch_for_batch(convolution, batch));
    return largest;
}

/// Multiplications and additions of one pass.
static inline double convolution_work(const ck_convolution *convolution) {
    return 2.0 * (double)convolution->batch * (double)convolution->out_height * (double)convolution->out_width
        * (double)convolution->kernel_h * (double)convolution->kernel_w * (double)convolution_depth(convolution)
        * (double)convolution->out_channels;
}

#endif
