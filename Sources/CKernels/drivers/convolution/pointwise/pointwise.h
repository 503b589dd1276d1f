#ifndef CK_POINTWISE_DRIVER_H
#define CK_POINTWISE_DRIVER_H

#include "drivers/convolution/shape.h"
#include "drivers/shared/gemm.h"
#include "include/ck_plans.h"
#include "include/ck_pointwise.h"

// The parts that the two passes of 1×1 convolutions share. Output pixels are numbered through all images.

size_t ck_pointwise_forward_scratch(const ck_convolution *convolution);
size_t ck_pointwise_backward_scratch(const ck_convolution *convolution);

void ck_pointwise_forward_loops(const ck_convolution *convolution, ck_plan *loops);
void ck_pointwise_backward_loops(const ck_convolution *convolution, ck_plan *loops);

static inline int64_t pointwise_pixels(const ck_convolution *convolution) {
    return convolution->batch * convolution->out_height * convolution->out_width;
}

/// Neighbouring output pixels whose pixels of z are equally far apart.
typedef struct pixel_run {
    int64_t count;
    int64_t position;    ///< in z of the first pixel, images numbered through; the next pixel is stride_w further
    int64_t image, y, x; ///< of the first output pixel
} pixel_run;

/// True if each pixel of z gives one pixel of y, in order. Then one run may hold any number of pixels.
static inline bool pixel_runs_are_whole(const ck_convolution *c) {
    return c->stride_h == 1 && c->stride_w == 1 && c->out_height == c->height && c->out_width == c->width;
}

/// The run that starts at output pixel `first` and has at most `most` pixels.
static inline pixel_run pixel_run_at(const ck_convolution *c, int64_t first, int64_t most) {
    const int64_t row = first / c->out_width, x = first % c->out_width, image = row / c->out_height,
                  y = row % c->out_height;
    return (pixel_run){
        .count = pixel_runs_are_whole(c) ? most : min_of(most, c->out_width - x),
        .position = (image * c->height + y * c->stride_h) * c->width + x * c->stride_w,
        .image = image,
        .y = y,
        .x = x,
    };
}

/// The block of a run's pixels of `channels` channels of z and of their packed members, `stride` floats from one pixel
/// to the next.
static inline activation_block pixel_run_block(
    const ck_convolution *c, const pixel_run *run, int64_t channels, int64_t stride) {
    activation_block block =
        ck_activation_block(&c->activation, convolution_image(c), (activation_extent){run->count, channels});
    block.z_position *= c->stride_w;
    block.out_position = stride;
    return block;
}

/// Floats of z that the run's pixels lie in.
static inline int64_t pixel_run_floats(const ck_convolution *c, const pixel_run *run) {
    return ((run->count - 1) * c->stride_w + 1) * c->channels;
}

#endif
