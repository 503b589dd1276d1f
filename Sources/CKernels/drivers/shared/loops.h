#ifndef CK_LOOPS_H
#define CK_LOOPS_H

#include "drivers/shared/sizes.h"
#include "include/ck_plans.h"

// How drivers tell their loops to tests.

/// A loop over `length` in steps of `step`, the last one perhaps shorter.
static inline void add_loop(ck_plan *plan, const char *name, int64_t length, int64_t step) {
    plan->loops[plan->loop_count++] = (ck_loop){name, divide_up(length, step), length % step != 0};
}

/// A loop over `parts` parts of `length`, whose lengths differ by at most 1.
static inline void add_split(ck_plan *plan, const char *name, int64_t length, int64_t parts) {
    plan->loops[plan->loop_count++] = (ck_loop){name, parts, length % parts != 0};
}

#endif
