// An optimizer's update. A task takes a block of the parameters.

#include "include/ck_optimizer.h"

#include <stddef.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

/// Floats that are moved for an element: gradients are read; parameters and slots are read and written.
static int64_t moved_floats(const ck_slots *slots) {
    return 3 + 2 * (slots->first != NULL) + 2 * (slots->second != NULL);
}

/// Elements in one task.
static int64_t block_length(int64_t count) {
    enum { LEAST = BLOCK_FLOATS / 4, MOST = STREAM_BLOCKS * BLOCK_FLOATS };
    return length_for_threads(count, LEAST, MOST);
}

typedef struct update_call {
    const optimizer_tiles *tiles;
    int64_t count, block;
    ck_gradient_terms terms;
    ck_update_rule rule;
    const float *gradients;
    ck_slots slots;
    float *parameters;
} update_call;

// A slot from element `first` on; NULL where the rule has no such slot.
static float *slot_from(float *slot, int64_t first) { return slot == NULL ? NULL : slot + first; }

static void update_block(void *context, int64_t block, int worker) {
    (void)worker;
    const update_call *call = context;
    const int64_t first = block * call->block;
    const int64_t count = min_of(call->block, call->count - first);
    const ck_slots slots = {slot_from(call->slots.first, first), slot_from(call->slots.second, first)};
    ck_count_floats(moved_floats(&slots) * count);
    call->tiles->update(count, call->terms, &call->rule, call->gradients + first, slots, call->parameters + first);
}

void ck_update(
    int64_t count, ck_gradient_terms terms, ck_update_rule rule, const float *gradients, ck_slots slots,
    float *parameters) {
    const int64_t block = block_length(count);
    update_call call = {&ck_kernels_current()->optimizer, count, block, terms, rule, gradients, slots, parameters};
    const double bytes = 4.0 * (double)moved_floats(&slots) * (double)count;
    ck_parallel(divide_up(count, block), bytes, update_block, &call);
}

ck_plan ck_update_plan(int64_t count) {
    ck_plan loops = {0};
    add_loop(&loops, "blocks", count, block_length(count));
    return loops;
}
