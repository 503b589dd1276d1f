#ifndef CK_PARTS_H
#define CK_PARTS_H

#include <string.h>

#include "dispatch/kernels.h"
#include "runtime/operations.h"

/// out[i] = Σ_p parts[p·stride + i] in order of p, for i < count, on the calling thread: for the tasks of a pass. `out`
/// lies outside of the parts.
static inline void add_parts(
    const ck_kernels *kernels, const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out) {
    ck_count_floats((part_count + 1) * count);
    memcpy(out, parts, (size_t)count * sizeof(float));
    for (int64_t p = 1; p < part_count; p++) kernels->elementwise.add(count, out, parts + p * stride, out);
}

/// The sums of add_parts, in tasks of their own.
void ck_sum_parts(const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out);

#endif
