#ifndef CK_SCRATCH_H
#define CK_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/shared/sizes.h"

// How drivers lay out their scratch. Each kernel has one function that takes the parts of the kernel's scratch in
// order, and gives their addresses and their whole size. The `_scratch` function calls it with NULL as the base, for
// the size alone.

/// Floats from one packed row of `length` to the next. The distance is never a multiple of 4 KiB, at which rows would
/// fall into the same cache sets.
static inline int64_t spread_stride(int64_t length) {
    const int64_t stride = round_up(length, 16) + 16;
    return stride % 1024 == 0 ? stride + 16 : stride;
}

/// The parts of a scratch that were taken so far.
typedef struct scratch_parts {
    void *base;  ///< NULL: the parts have no address
    size_t size; ///< of all of them, in bytes
} scratch_parts;

/// Takes the next part. It starts at a multiple of 64 bytes from the base.
static inline void *take_bytes(scratch_parts *parts, int64_t bytes) {
    void *const start = parts->base == NULL ? NULL : (char *)parts->base + parts->size;
    parts->size += (size_t)round_up(bytes, 64);
    return start;
}

static inline float *take_floats(scratch_parts *parts, int64_t count) { return take_bytes(parts, count * 4); }
static inline double *take_doubles(scratch_parts *parts, int64_t count) { return take_bytes(parts, count * 8); }
static inline int64_t *take_integers(scratch_parts *parts, int64_t count) { return take_bytes(parts, count * 8); }

/// Takes the parts behind the first `shared` bytes again for each further worker. A worker's parts lie side by side, so
/// that few workers touch few pages. Returns the floats from one worker's parts to the next worker's.
static inline int64_t take_for_workers(scratch_parts *parts, size_t shared, int64_t workers) {
    const int64_t bytes = (int64_t)(parts->size - shared);
    take_bytes(parts, (workers - 1) * bytes);
    return bytes / (int64_t)sizeof(float);
}

#endif
