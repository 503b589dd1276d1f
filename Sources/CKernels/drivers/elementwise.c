#include "include/ck_elementwise.h"

#include <string.h>

#include "dispatch/kernels.h"
#include "drivers/blocks.h"
#include "drivers/loops.h"
#include "runtime/threads.h"

typedef struct elementwise_call {
    const elementwise_tiles *tiles;
    int64_t count;
    const float *a, *b;
    float *out;
    float factor;
    bool accumulate;
} elementwise_call;

/// Runs `task` over blocks of BLOCK_FLOATS elements that touch `bytes` of memory each.
static void over_blocks(elementwise_call *call, int64_t bytes, ck_task task) {
    call->tiles = &ck_kernels_current()->elementwise;
    ck_parallel(divide_up(call->count, BLOCK_FLOATS), CK_MAX_WORKERS, (double)call->count * (double)bytes, task, call);
}

static int64_t block_length(const elementwise_call *call, int64_t block) {
    return min_of(BLOCK_FLOATS, call->count - block * BLOCK_FLOATS);
}

static void add_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    const int64_t first = block * BLOCK_FLOATS;
    call->tiles->add(block_length(call, block), call->a + first, call->b + first, call->out + first);
}

void ck_add(int64_t count, const float *a, const float *b, float *out) {
    over_blocks(&(elementwise_call){.count = count, .a = a, .b = b, .out = out}, 12, add_task);
}

static void copy_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    const int64_t first = block * BLOCK_FLOATS;
    memcpy(call->out + first, call->a + first, (size_t)block_length(call, block) * sizeof(float));
}

void ck_copy(int64_t count, const float *x, float *out, bool accumulate) {
    if (accumulate) ck_add(count, out, x, out);
    else over_blocks(&(elementwise_call){.count = count, .a = x, .out = out}, 8, copy_task);
}

static void scale_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    call->tiles->scale(block_length(call, block), call->factor, call->out + block * BLOCK_FLOATS);
}

void ck_scale(int64_t count, float factor, float *x) {
    over_blocks(&(elementwise_call){.count = count, .factor = factor, .out = x}, 8, scale_task);
}

typedef struct copy_rows_call {
    const elementwise_tiles *tiles;
    int64_t rows, columns, block_rows, x_stride, out_stride;
    const float *x;
    float *out;
    bool accumulate;
} copy_rows_call;

static void copy_rows_task(void *context, int64_t block, int worker) {
    (void)worker;
    const copy_rows_call *call = context;
    const int64_t first = block * call->block_rows;
    call->tiles->copy_rows(
        min_of(call->block_rows, call->rows - first), call->columns, call->x + first * call->x_stride, call->x_stride,
        call->out + first * call->out_stride, call->out_stride, call->accumulate);
}

static void copy_rows(copy_rows_call call) {
    if (call.columns <= 0) return;
    call.tiles = &ck_kernels_current()->elementwise;
    call.block_rows = rows_per_block(call.columns);
    ck_parallel(
        divide_up(call.rows, call.block_rows), CK_MAX_WORKERS, (double)call.rows * (double)call.columns * 8,
        copy_rows_task, &call);
}

void ck_concat_forward(
    int64_t rows, int64_t channels, const float *narrow, int64_t wide_channels, int64_t offset, float *wide) {
    copy_rows((copy_rows_call){
        .rows = rows,
        .columns = channels,
        .x = narrow,
        .x_stride = channels,
        .out = wide + offset,
        .out_stride = wide_channels});
}

void ck_concat_backward(
    int64_t rows, int64_t channels, const float *wide, int64_t wide_channels, int64_t offset, float *narrow,
    bool accumulate) {
    copy_rows((copy_rows_call){
        .rows = rows,
        .columns = channels,
        .x = wide + offset,
        .x_stride = wide_channels,
        .out = narrow,
        .out_stride = channels,
        .accumulate = accumulate});
}

typedef struct dropout_call {
    const elementwise_tiles *tiles;
    int64_t count;
    uint64_t key, first;
    float rate;
    const float *x;
    float *out;
    bool accumulate;
} dropout_call;

static void dropout_task(void *context, int64_t block, int worker) {
    (void)worker;
    const dropout_call *call = context;
    const int64_t begin = block * BLOCK_FLOATS;
    const double rate = call->rate;
    // Exact for every float rate of at least 2^-8; below that, rounded down to a multiple of 2^-32.
    const uint32_t threshold = (uint32_t)(rate * 0x1p32);
    call->tiles->dropout(
        min_of(BLOCK_FLOATS, call->count - begin), call->key, call->first + (uint64_t)begin, threshold,
        (float)(1.0 - rate), call->x + begin, call->out + begin, call->accumulate);
}

void ck_dropout(int64_t count, uint64_t key, uint64_t first, float rate, const float *x, float *out, bool accumulate) {
    dropout_call call = {
        .tiles = &ck_kernels_current()->elementwise,
        .count = count,
        .key = key,
        .first = first,
        .rate = rate,
        .x = x,
        .out = out,
        .accumulate = accumulate};
    // About 40 operations an element.
    ck_parallel(divide_up(count, BLOCK_FLOATS), CK_MAX_WORKERS, (double)count * 40, dropout_task, &call);
}

typedef struct reduction_call {
    const elementwise_tiles *tiles;
    int64_t count;
    parts cut;
    const float *x;
    double sums[MAX_PARTS], sum;
    int64_t places[MAX_PARTS];
} reduction_call;

static void sum_of_squares_task(void *context, int64_t part, int worker) {
    (void)worker;
    reduction_call *call = context;
    const int64_t first = part * call->cut.length;
    call->sums[part] = call->tiles->sum_of_squares(min_of(call->cut.length, call->count - first), call->x + first);
}

static void add_sums(void *context, int64_t task, int worker) {
    (void)task, (void)worker;
    reduction_call *call = context;
    call->sum = 0;
    for (int64_t part = 0; part < call->cut.count; part++) call->sum += call->sums[part];
}

double ck_sum_of_squares(int64_t count, const float *x) {
    reduction_call call;
    call.tiles = &ck_kernels_current()->elementwise;
    call.count = count;
    call.x = x;
    call.cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_parallel(call.cut.count, CK_MAX_WORKERS, (double)count * 4, sum_of_squares_task, &call);
    ck_serial(add_sums, &call);
    return call.sum;
}

static void first_nonfinite_task(void *context, int64_t part, int worker) {
    (void)worker;
    reduction_call *call = context;
    const int64_t first = part * call->cut.length;
    const int64_t found = call->tiles->first_nonfinite(min_of(call->cut.length, call->count - first), call->x + first);
    call->places[part] = found < 0 ? -1 : first + found;
}

int64_t ck_first_nonfinite(int64_t count, const float *x) {
    reduction_call call;
    call.tiles = &ck_kernels_current()->elementwise;
    call.count = count;
    call.x = x;
    call.cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_parallel(call.cut.count, CK_MAX_WORKERS, (double)count * 4, first_nonfinite_task, &call);
    for (int64_t part = 0; part < call.cut.count; part++)
        if (call.places[part] >= 0) return call.places[part];
    return -1;
}

ck_plan ck_elementwise_plan(int64_t count) {
    const parts cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_plan loops = {0};
    add_loop(&loops, "blocks", count, BLOCK_FLOATS);
    add_loop(&loops, cut.length > BLOCK_FLOATS ? "parts of a long sum" : "parts of a sum", count, cut.length);
    return loops;
}

ck_plan ck_concat_plan(int64_t rows, int64_t channels) {
    ck_plan loops = {0};
    add_loop(&loops, "blocks of rows", rows, rows_per_block(channels));
    return loops;
}
