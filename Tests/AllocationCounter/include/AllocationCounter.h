#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// How many blocks the calling thread has asked malloc and its relatives for since it started. Linking this target puts
/// counting versions of those functions in front of the C library's.
uint64_t allocation_count(void);

/// False where a sanitizer owns malloc and nothing is counted.
bool allocations_are_counted(void);

#endif
