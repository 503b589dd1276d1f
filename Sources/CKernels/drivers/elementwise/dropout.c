// Dropout. A task takes a block of the elements.

#include "include/ck_elementwise.h"

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct dropout_call {
    const elementwise_tiles *tiles;
    int64_t count, block;
    uint64_t key, first;
    float rate;
    const float *x;
    float *out;
    bool accumulate;
} dropout_call;

/// Operations on each element.
enum { DROPOUT_COST = 40 };

static void dropout_task(void *context, int64_t block, int worker) {
    (void)worker;
    const dropout_call *call = context;
    const int64_t begin = block * call->block, count = min_of(call->block, call->count - begin);
    ck_count_operations(count * DROPOUT_COST);
    const double rate = call->rate;
    // The threshold is exact for every float rate of at least 2^-8. Below 2^-8, the threshold is rounded down to a
    // multiple of 2^-32.
    const uint32_t threshold = (uint32_t)(rate * 0x1p32);
    call->tiles->dropout(
        count, call->key, call->first + (uint64_t)begin, threshold, (float)(1.0 - rate), call->x + begin,
        call->out + begin, call->accumulate);
}

void ck_dropout(int64_t count, uint64_t key, uint64_t first, float rate, const float *x, float *out, bool accumulate) {
    dropout_call call = {
        .tiles = &ck_kernels_current()->elementwise,
        .count = count,
        .block = elements_per_block(count),
        .key = key,
        .first = first,
        .rate = rate,
        .x = x,
        .out = out,
        .accumulate = accumulate};
    ck_parallel(divide_up(count, call.block), (double)count * DROPOUT_COST, dropout_task, &call);
}
