// Sums of the parts that the tasks of a pass leave.

#include "drivers/shared/parts.h"

#include "drivers/shared/sizes.h"
#include "runtime/threads.h"

enum { PART_BLOCK = 4096 };

typedef struct part_sum {
    const ck_kernels *kernels;
    const float *parts;
    int64_t part_count, stride, count;
    float *out;
} part_sum;

static void sum_block(void *context, int64_t task, int worker) {
    (void)worker;
    const part_sum *sum = context;
    const int64_t start = task * PART_BLOCK, count = min_of(PART_BLOCK, sum->count - start);
    add_parts(sum->kernels, sum->parts + start, sum->part_count, sum->stride, count, sum->out + start);
}

void ck_sum_parts(const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out) {
    part_sum sum = {ck_kernels_current(), parts, part_count, stride, count, out};
    ck_parallel(divide_up(count, PART_BLOCK), 4.0 * (double)part_count * (double)count, sum_block, &sum);
}
