#ifndef CK_OPERATIONS_H
#define CK_OPERATIONS_H

#include <stdint.h>

// The operations of tasks, for ck_recorder. The unit is that of the `work` of ck_parallel: multiplications and
// additions, or bytes moved where the bytes take longer. Drivers count for a whole call of a tile, or for a whole task,
// because a count within a tile would cost time. A count follows from shapes alone. So two machines count the same for
// the same task.

/// The operations that the calling thread has counted since the thread began. Unsigned, because the sum wraps around.
extern _Thread_local uint64_t ck_operations;

static inline void ck_count_operations(int64_t operations) { ck_operations += (uint64_t)operations; }

/// Counts floats that are read or written: for loops that memory limits.
static inline void ck_count_floats(int64_t floats) { ck_count_operations(floats * (int64_t)sizeof(float)); }

#endif
