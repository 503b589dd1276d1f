#ifndef CK_SCRATCH_H
#define CK_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/shared/sizes.h"

// How drivers lay out their scratch.

/// Floats from one packed row of `length` to the next: never a multiple of 4 KiB, where rows would fall into the same
/// cache sets.
static inline int64_t spread_stride(int64_t length) {
    const int64_t stride = round_up(length, 16) + 16;
    return stride % 1024 == 0 ? stride + 16 : stride;
}

/// Appends room for `bytes` to a scratch of `*size` bytes and returns where it starts, a multiple of 64.
static inline size_t scratch_take(size_t *size, int64_t bytes) {
    const size_t start = *size;
    *size += (size_t)round_up(bytes, 64);
    return start;
}

static inline float *scratch_floats(void *scratch, size_t start) { return (float *)((char *)scratch + start); }
static inline int64_t *scratch_integers(void *scratch, size_t start) { return (int64_t *)((char *)scratch + start); }

#endif
