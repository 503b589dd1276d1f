// Sums of the parts that the tasks of a pass leave.

#include "drivers/shared/parts.h"

#include <string.h>

#include "drivers/shared/sizes.h"
#include "runtime/threads.h"

enum { PART_BLOCK = 4096 };

typedef struct part_sum {
    const float *parts;
    int64_t part_count, stride, count;
    float *out;
} part_sum;

static void sum_block(void *context, int64_t task, int worker) {
    (void)worker;
    const part_sum *sum = context;
    const int64_t start = task * PART_BLOCK, count = min_of(PART_BLOCK, sum->count - start);
    float *restrict out = sum->out + start;
    memcpy(out, sum->parts + start, (size_t)count * sizeof(float));
    for (int64_t p = 1; p < sum->part_count; p++) {
        const float *restrict part = sum->parts + p * sum->stride + start;
        for (int64_t i = 0; i < count; i++) out[i] += part[i];
    }
}

void ck_sum_parts(const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out) {
    part_sum sum = {parts, part_count, stride, count, out};
    ck_parallel(
        divide_up(count, PART_BLOCK), CK_MAX_WORKERS, 4.0 * (double)part_count * (double)count, sum_block, &sum);
}
