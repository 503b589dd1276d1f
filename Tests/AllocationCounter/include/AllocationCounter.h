#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// The number of blocks that the calling thread has requested from malloc and its relatives since the thread started.
/// Linking this target replaces the C library's functions by counting versions.
uint64_t allocation_count(void);

/// False where a sanitizer owns malloc, so that this target counts nothing.
bool allocations_are_counted(void);

#endif
