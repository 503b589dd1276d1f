// Max-pooling and average pooling over windows. A task takes some rows of the tensor that is written.

#include "include/ck_pooling.h"

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/plane.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

/// False if batch·height·width·channels of floats would not fit in memory addresses.
static bool fits(int64_t batch, int64_t height, int64_t width, int64_t channels) {
    int64_t count;
    return !__builtin_mul_overflow(batch, height, &count) && !__builtin_mul_overflow(count, width, &count)
        && !__builtin_mul_overflow(count, channels, &count) && count <= INT64_MAX / (int64_t)sizeof(float);
}

/// True if windows at 0, stride … (outputs − 1)·stride, moved back by `pad`, all touch 0 ..< size.
static bool windows_touch(int64_t outputs, int64_t stride, int64_t pad, int64_t window, int64_t size) {
    int64_t last;
    return pad < window && !__builtin_mul_overflow(outputs - 1, stride, &last) && last - pad < size;
}

static const char *check_windows(const ck_pooling *p) {
    if (p->batch < 1 || p->height < 1 || p->width < 1 || p->channels < 1)
        return "the batch, the image's height and width and the channels must be at least 1";
    if (p->out_height < 1 || p->out_width < 1) return "the output's height and width must be at least 1";
    if (p->window_h < 1 || p->window_w < 1) return "the window must be at least 1×1";
    if (p->window_h > 255 || p->window_w > 255 || p->window_h * p->window_w > 255)
        return "the window must hold at most 255 positions";
    if (p->stride_h < 1 || p->stride_w < 1) return "strides must be at least 1";
    if (p->stride_h > INT32_MAX || p->stride_w > INT32_MAX) return "strides must be less than 2^31";
    if (p->pad_top < 0 || p->pad_left < 0 || p->pad_bottom < 0 || p->pad_right < 0)
        return "padding must not be negative";
    if (p->pad_bottom >= p->window_h || p->pad_right >= p->window_w) return "padding must be smaller than the window";
    if (!fits(p->batch, p->height, p->width, p->channels)) return "the input is too large";
    if (!fits(p->batch, p->out_height, p->out_width, p->channels)) return "the output is too large";
    if (!windows_touch(p->out_height, p->stride_h, p->pad_top, p->window_h, p->height)
        || !windows_touch(p->out_width, p->stride_w, p->pad_left, p->window_w, p->width))
        return "every window must hold at least one position of the image";
    return NULL;
}

const char *ck_pooling_check(const ck_pooling *p, const ck_activation *activation) {
    const char *reason = check_windows(p);
    if (reason != NULL || activation == NULL) return reason;
    if (!ck_activation_check(activation)) return "the activation is not valid";
    if (ck_activation_slope_count(activation, 1, 1) > 0) return "the activation must not have learned slopes";
    int64_t channels;
    if (__builtin_mul_overflow(p->channels, activation->member_count, &channels)
        || !fits(p->batch, p->out_height, p->out_width, channels))
        return "the output is too large";
    return NULL;
}

typedef struct pooling_call {
    const pooling_tiles *tiles;
    const ck_pooling *pooling;
    const ck_activation *activation;
    int64_t rows, block_rows; ///< over the whole batch, of the tensor that is written
    const float *source;      ///< x or dy
    float *target;            ///< y or dx
    const uint8_t *argmax;
    const float *z; ///< of the backward pass, or NULL
    uint8_t *new_argmax;
    bool accumulate;
} pooling_call;

static int64_t input_size(const ck_pooling *p) { return p->height * p->width * p->channels; }
static int64_t output_channels(const pooling_call *call) {
    return call->activation->member_count * call->pooling->channels;
}
static int64_t output_size(const pooling_call *call) {
    return call->pooling->out_height * call->pooling->out_width * output_channels(call);
}

/// Rows of `columns` floats that a task takes: `blocks` blocks, or fewer for many threads.
static int64_t task_rows(int64_t rows, int64_t columns, int64_t blocks) {
    return length_for_threads(rows, 1, rows_per_block(columns) * blocks);
}

/// Runs `task` over the rows of the tensor that is written, `width` × `channels` each. A task takes `blocks` blocks of
/// rows at most.
static void over_rows(
    pooling_call *call, int64_t height, int64_t width, int64_t channels, int64_t blocks, ck_task task) {
    const ck_pooling *p = call->pooling;
    call->tiles = &ck_kernels_current()->pooling;
    call->rows = p->batch * height;
    call->block_rows = task_rows(call->rows, width * channels, blocks);
    const double work = (double)p->batch * (double)output_size(call) * (double)(p->window_h * p->window_w) * 2;
    ck_parallel(divide_up(call->rows, call->block_rows), work, task, call);
}

static int64_t end_of_block(const pooling_call *call, int64_t block) {
    return min_of(call->rows, (block + 1) * call->block_rows);
}

// Counts the windows of a block: each row of the tensor that is written has its share of the call's work.
static void count_block(const pooling_call *call, int64_t block) {
    const ck_pooling *p = call->pooling;
    const int64_t rows = end_of_block(call, block) - block * call->block_rows;
    const int64_t work = 2 * p->batch * output_size(call) * p->window_h * p->window_w;
    ck_count_operations(rows * divide_up(work, call->rows));
}

static void max_forward_task(void *context, int64_t block, int worker) {
    (void)worker;
    const pooling_call *call = context;
    const ck_pooling *p = call->pooling;
    const int64_t row_size = p->out_width * output_channels(call);
    count_block(call, block);
    for (int64_t row = block * call->block_rows; row < end_of_block(call, block); row++)
        call->tiles->max_forward(
            p, call->activation, call->source + row / p->out_height * input_size(p), row % p->out_height,
            call->target + row * row_size, call->new_argmax == NULL ? NULL : call->new_argmax + row * row_size);
}

void ck_max_pool_forward(
    const ck_pooling *pooling, const ck_activation *activation, const float *z, float *y, uint8_t *argmax) {
    pooling_call call = {
        .pooling = pooling,
        .activation = activation == NULL ? &ck_no_activation : activation,
        .source = z,
        .target = y,
        .new_argmax = argmax};
    over_rows(&call, pooling->out_height, pooling->out_width, output_channels(&call), 1, max_forward_task);
}

static void max_backward_task(void *context, int64_t block, int worker) {
    (void)worker;
    const pooling_call *call = context;
    const ck_pooling *p = call->pooling;
    const int64_t row_size = p->width * p->channels;
    count_block(call, block);
    for (int64_t row = block * call->block_rows; row < end_of_block(call, block); row++) {
        const int64_t image = row / p->height * output_size(call);
        call->tiles->max_backward(
            p, call->activation, call->argmax + image, call->z == NULL ? NULL : call->z + row * row_size,
            call->source + image, row % p->height, call->target + row * row_size, call->accumulate);
    }
}

void ck_max_pool_backward(
    const ck_pooling *pooling, const ck_activation *activation, const uint8_t *argmax, const float *z, const float *dy,
    float *dz, bool accumulate) {
    pooling_call call = {
        .pooling = pooling,
        .activation = activation == NULL ? &ck_no_activation : activation,
        .argmax = argmax,
        .z = z,
        .source = dy,
        .target = dz,
        .accumulate = accumulate};
    over_rows(&call, pooling->height, pooling->width, pooling->channels, STREAM_BLOCKS, max_backward_task);
}

static void average_forward_task(void *context, int64_t block, int worker) {
    (void)worker;
    const pooling_call *call = context;
    const ck_pooling *p = call->pooling;
    count_block(call, block);
    for (int64_t row = block * call->block_rows; row < end_of_block(call, block); row++)
        call->tiles->average_forward(
            p, call->source + row / p->out_height * input_size(p), row % p->out_height,
            call->target + row * p->out_width * p->channels);
}

void ck_average_pool_forward(const ck_pooling *pooling, const float *x, float *y) {
    pooling_call call = {.pooling = pooling, .activation = &ck_no_activation, .source = x, .target = y};
    over_rows(&call, pooling->out_height, pooling->out_width, pooling->channels, 1, average_forward_task);
}

static void average_backward_task(void *context, int64_t block, int worker) {
    (void)worker;
    const pooling_call *call = context;
    const ck_pooling *p = call->pooling;
    count_block(call, block);
    for (int64_t row = block * call->block_rows; row < end_of_block(call, block); row++)
        call->tiles->average_backward(
            p, call->source + row / p->height * output_size(call), row % p->height,
            call->target + row * p->width * p->channels, call->accumulate);
}

void ck_average_pool_backward(const ck_pooling *pooling, const float *dy, float *dx, bool accumulate) {
    pooling_call call = {
        .pooling = pooling, .activation = &ck_no_activation, .source = dy, .target = dx, .accumulate = accumulate};
    over_rows(&call, pooling->height, pooling->width, pooling->channels, STREAM_BLOCKS, average_backward_task);
}

ck_plan ck_pooling_plan(const ck_pooling *p, const ck_activation *activation) {
    const int64_t members = activation == NULL ? 1 : activation->member_count;
    ck_plan loops = {0};
    add_loop(
        &loops, "blocks of output rows", p->batch * p->out_height,
        task_rows(p->batch * p->out_height, p->out_width * members * p->channels, 1));
    add_loop(
        &loops, "blocks of input rows", p->batch * p->height,
        task_rows(p->batch * p->height, p->width * p->channels, STREAM_BLOCKS));
    return loops;
}
