// Concatenation: copies between the tensor of one input and its channels of the wide tensor. A task takes a block of
// rows.

#include "include/ck_elementwise.h"

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

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
    const int64_t first = block * call->block_rows, rows = min_of(call->block_rows, call->rows - first);
    ck_count_floats(2 * rows * call->columns);
    call->tiles->copy_rows(
        rows, call->columns, call->x + first * call->x_stride, call->x_stride, call->out + first * call->out_stride,
        call->out_stride, call->accumulate);
}

static void copy_rows(copy_rows_call call) {
    if (call.columns <= 0) return;
    call.tiles = &ck_kernels_current()->elementwise;
    call.block_rows = rows_per_block(call.columns);
    ck_parallel(
        divide_up(call.rows, call.block_rows), (double)call.rows * (double)call.columns * 8, copy_rows_task, &call);
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

ck_plan ck_concat_plan(int64_t rows, int64_t channels) {
    ck_plan loops = {0};
    add_loop(&loops, "blocks of rows", rows, rows_per_block(channels));
    return loops;
}
