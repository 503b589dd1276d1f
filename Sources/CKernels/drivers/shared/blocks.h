#ifndef CK_BLOCKS_H
#define CK_BLOCKS_H

// How drivers cut work into tasks. Sums are cut by the shape only, so that results do not depend on the number of
// threads. Other cuts are finer where there are many threads.

#include "drivers/shared/sizes.h"
#include "include/ck_runtime.h"

/// Tasks for each of many threads: the last tasks are short then, and no thread waits long for another. One and two
/// threads are busy with few tasks.
enum { TASKS_PER_THREAD = 4, FEW_THREADS = 2 };

/// How many pieces each of `tasks` tasks should have, so that there are tasks for all threads. A cut that follows this
/// number may not change the order of a sum.
static inline int64_t pieces_for_threads(int64_t tasks) {
    const int64_t threads = ck_threads();
    return threads <= FEW_THREADS ? 1 : divide_up(TASKS_PER_THREAD * threads, max_of(tasks, 1));
}

/// The work of a short call that joins what all threads have just written. Most of the lines are in the caches of other
/// threads, if there are many.
static inline double joining_work(double operations) {
    enum { MANY_THREADS_FACTOR = 5 };
    return ck_threads() <= FEW_THREADS ? operations : MANY_THREADS_FACTOR * operations;
}

/// The length of tasks that share `count` elements: `most`, or less for many threads, but a multiple of `least`.
static inline int64_t length_for_threads(int64_t count, int64_t least, int64_t most) {
    const int64_t threads = ck_threads();
    if (threads <= FEW_THREADS) return most;
    return min_of(most, round_up(divide_up(max_of(count, 1), TASKS_PER_THREAD * threads), least));
}

/// The thousandths of the threads' time in which threads would wait for the last of `tasks` even tasks.
static inline int64_t idle_share(int64_t tasks, int64_t threads) {
    return 1000 - 1000 * tasks / (divide_up(tasks, threads) * threads);
}

/// A larger share is worth a finer cut.
enum { MOST_IDLE = 100 };

/// Floats in one task of a memory-bound loop: 32 KiB. To hand out a task costs far less than to move these.
enum { BLOCK_FLOATS = 8192 };

/// Elements in one task of a loop over `count` elements.
static inline int64_t elements_per_block(int64_t count) {
    return length_for_threads(count, BLOCK_FLOATS / 8, BLOCK_FLOATS);
}

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
