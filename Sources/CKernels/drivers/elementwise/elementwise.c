// Operations on each element, and their plan. A task takes a block of the elements.

#include "include/ck_elementwise.h"

#include <string.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct elementwise_call {
    const elementwise_tiles *tiles;
    int64_t count, block;
    int64_t floats; // that an element touches
    const float *a, *b;
    float *out;
    float factor;
    bool accumulate;
} elementwise_call;

/// Runs `task` over blocks of elements.
static void over_blocks(elementwise_call *call, ck_task task) {
    call->tiles = &ck_kernels_current()->elementwise;
    call->block = elements_per_block(call->count);
    ck_parallel(divide_up(call->count, call->block), 4.0 * (double)call->floats * (double)call->count, task, call);
}

// The elements of a block, which are counted.
static int64_t begin_block(const elementwise_call *call, int64_t block) {
    const int64_t length = min_of(call->block, call->count - block * call->block);
    ck_count_floats(call->floats * length);
    return length;
}

static void add_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    const int64_t first = block * call->block;
    call->tiles->add(begin_block(call, block), call->a + first, call->b + first, call->out + first);
}

void ck_add(int64_t count, const float *a, const float *b, float *out) {
    over_blocks(&(elementwise_call){.count = count, .floats = 3, .a = a, .b = b, .out = out}, add_task);
}

static void copy_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    const int64_t first = block * call->block;
    memcpy(call->out + first, call->a + first, (size_t)begin_block(call, block) * sizeof(float));
}

void ck_copy(int64_t count, const float *x, float *out, bool accumulate) {
    if (accumulate) ck_add(count, out, x, out);
    else over_blocks(&(elementwise_call){.count = count, .floats = 2, .a = x, .out = out}, copy_task);
}

static void scale_task(void *context, int64_t block, int worker) {
    (void)worker;
    const elementwise_call *call = context;
    call->tiles->scale(begin_block(call, block), call->factor, call->out + block * call->block);
}

void ck_scale(int64_t count, float factor, float *x) {
    over_blocks(&(elementwise_call){.count = count, .floats = 2, .factor = factor, .out = x}, scale_task);
}

ck_plan ck_elementwise_plan(int64_t count) {
    const parts cut = cut_into_parts(count, BLOCK_FLOATS);
    ck_plan loops = {0};
    add_loop(&loops, "blocks", count, elements_per_block(count));
    add_loop(&loops, cut.length > BLOCK_FLOATS ? "parts of a long sum" : "parts of a sum", count, cut.length);
    return loops;
}
