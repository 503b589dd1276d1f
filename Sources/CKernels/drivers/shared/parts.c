// Sums of the parts that the tasks of a pass leave.

#include "drivers/shared/parts.h"

#include "drivers/shared/blocks.h"
#include "runtime/threads.h"

/// Elements in one task.
enum { PART_BLOCK = 4096, LEAST_PART_BLOCK = 512 };

typedef struct part_sum {
    const ck_kernels *kernels;
    const float *parts;
    int64_t part_count, stride, count, block;
    float *out;
} part_sum;

static void sum_block(void *context, int64_t task, int worker) {
    (void)worker;
    const part_sum *sum = context;
    const int64_t start = task * sum->block, count = min_of(sum->block, sum->count - start);
    add_parts(sum->kernels, sum->parts + start, sum->part_count, sum->stride, count, sum->out + start);
}

void ck_sum_parts(const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out) {
    const int64_t block = length_for_threads(count, LEAST_PART_BLOCK, PART_BLOCK);
    part_sum sum = {ck_kernels_current(), parts, part_count, stride, count, block, out};
    ck_parallel(divide_up(count, block), 4.0 * (double)part_count * (double)count, sum_block, &sum);
}
