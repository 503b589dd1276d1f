// Global average pooling: the mean over all positions of an image.

#include "include/ck_pooling.h"

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

/// A task takes some images, and a slice of their channels.
typedef struct global_call {
    const pooling_tiles *tiles;
    int64_t batch, positions, channels, block_images, slices;
    const float *source;
    float *target;
    bool accumulate;
} global_call;

enum { POOL_SLICE_CHANNELS = 64 };

/// Images of one task.
static int64_t task_images(int64_t batch, int64_t positions, int64_t channels) {
    const int64_t slices = divide_up(channels, POOL_SLICE_CHANNELS);
    return length_for_threads(
               batch * slices, slices, rows_per_block(positions * min_of(channels, POOL_SLICE_CHANNELS)) * slices)
        / slices;
}

static void over_images(global_call *call, ck_task task) {
    call->tiles = &ck_kernels_current()->pooling;
    call->slices = divide_up(call->channels, POOL_SLICE_CHANNELS);
    call->block_images = task_images(call->batch, call->positions, call->channels);
    ck_parallel(
        divide_up(call->batch, call->block_images) * call->slices,
        (double)call->batch * (double)call->positions * (double)call->channels * 4, task, call);
}

// Counts the floats of some images, in the slice that begins with `channel`.
static void count_images(const global_call *call, int64_t images, int64_t channel) {
    ck_count_floats(images * call->positions * min_of(POOL_SLICE_CHANNELS, call->channels - channel));
}

static void global_forward_task(void *context, int64_t task, int worker) {
    (void)worker;
    const global_call *call = context;
    const int64_t channel = task % call->slices * POOL_SLICE_CHANNELS, block = task / call->slices;
    const int64_t end = min_of(call->batch, (block + 1) * call->block_images);
    count_images(call, end - block * call->block_images, channel);
    for (int64_t image = block * call->block_images; image < end; image++)
        call->tiles->row_mean(
            call->positions, min_of(POOL_SLICE_CHANNELS, call->channels - channel), call->channels,
            call->source + image * call->positions * call->channels + channel,
            call->target + image * call->channels + channel);
}

void ck_global_average_pool_forward(int64_t batch, int64_t positions, int64_t channels, const float *x, float *y) {
    global_call call = {.batch = batch, .positions = positions, .channels = channels, .source = x, .target = y};
    over_images(&call, global_forward_task);
}

static void global_backward_task(void *context, int64_t task, int worker) {
    (void)worker;
    const global_call *call = context;
    const int64_t channel = task % call->slices * POOL_SLICE_CHANNELS, block = task / call->slices;
    const int64_t end = min_of(call->batch, (block + 1) * call->block_images);
    count_images(call, end - block * call->block_images, channel);
    for (int64_t image = block * call->block_images; image < end; image++)
        call->tiles->spread_row(
            call->positions, min_of(POOL_SLICE_CHANNELS, call->channels - channel), call->channels,
            call->source + image * call->channels + channel, (float)call->positions,
            call->target + image * call->positions * call->channels + channel, call->accumulate);
}

void ck_global_average_pool_backward(
    int64_t batch, int64_t positions, int64_t channels, const float *dy, float *dx, bool accumulate) {
    global_call call = {
        .batch = batch,
        .positions = positions,
        .channels = channels,
        .source = dy,
        .target = dx,
        .accumulate = accumulate};
    over_images(&call, global_backward_task);
}

ck_plan ck_global_average_pool_plan(int64_t batch, int64_t positions, int64_t channels) {
    ck_plan loops = {0};
    add_loop(&loops, "blocks of images", batch, task_images(batch, positions, channels));
    add_loop(&loops, "slices of channels", channels, POOL_SLICE_CHANNELS);
    return loops;
}
