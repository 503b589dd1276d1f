#ifndef CK_PARTS_H
#define CK_PARTS_H

#include <stdint.h>

/// out[i] = Σ_p parts[p·stride + i] in order of p, for i < count.
void ck_sum_parts(const float *parts, int64_t part_count, int64_t stride, int64_t count, float *out);

#endif
