#ifndef CK_BLOCKS_H
#define CK_BLOCKS_H

// How drivers cut work into tasks. The cuts depend on the shape only, so that results do not depend on the number of
// threads.

#include "drivers/shared/sizes.h"

/// Floats in one task of a memory-bound loop: 32 KiB. To hand out a task costs far less than to move these.
enum { BLOCK_FLOATS = 8192 };

/// Blocks in one task of a loop that walks several large tensors. The CPU finds the streams of memory anew with every
/// task, so short stretches are slow.
enum { STREAM_BLOCKS = 4 };

/// A reduction has at most this many tasks, because some reductions have the tasks' partial sums on the stack.
enum { MAX_PARTS = 64 };

/// Rows of `columns` floats that make up one task, at least 1.
static inline int64_t rows_per_block(int64_t columns) { return max_of(1, BLOCK_FLOATS / max_of(1, columns)); }

/// `count` elements cut into at most MAX_PARTS parts of `length`, the last one perhaps shorter.
typedef struct parts {
    int64_t count, length;
} parts;

/// Parts of at least `minimum` elements each (but the last).
static inline parts cut_into_parts(int64_t count, int64_t minimum) {
    const int64_t length = max_of(minimum, divide_up(count, MAX_PARTS));
    return (parts){count > 0 ? divide_up(count, length) : 0, length};
}

#endif
