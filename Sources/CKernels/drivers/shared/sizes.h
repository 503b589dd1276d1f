#ifndef CK_SIZES_H
#define CK_SIZES_H

#include <stddef.h>
#include <stdint.h>

// Arithmetic on sizes, the largest sizes, and the size of a cache line.

static inline int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
static inline size_t larger_size(size_t a, size_t b) { return a > b ? a : b; }
static inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t a, int64_t multiple) { return divide_up(a, multiple) * multiple; }

/// A cache line has 64 bytes.
enum { CACHE_LINE_FLOATS = 16 };

// The largest sizes that a descriptor may ask for. Scratch multiplies sizes by workers and bytes, and these limits are
// far below the sizes at which such a product would overflow.
static const int64_t largest_extent = (int64_t)1 << 31;
static const int64_t largest_count = (int64_t)1 << 46;

#endif
