#include "include/ck_optimizer.h"

#include <stddef.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "runtime/threads.h"

/// Elements in one task.
enum { UPDATE_FLOATS = STREAM_BLOCKS * BLOCK_FLOATS };

typedef struct update_call {
    const optimizer_tiles *tiles;
    int64_t count;
    ck_gradient_terms terms;
    float step, decay1, decay2, epsilon; ///< the learning rate or step size; momentum or β1; β2 or ρ
    bool nesterov;
    const float *gradients;
    float *slot1, *slot2, *parameters;
} update_call;

static void over_blocks(update_call *call, int64_t bytes, ck_task task) {
    call->tiles = &ck_kernels_current()->optimizer;
    ck_parallel(divide_up(call->count, UPDATE_FLOATS), CK_MAX_WORKERS, (double)call->count * (double)bytes, task, call);
}

static void sgd_task(void *context, int64_t block, int worker) {
    (void)worker;
    const update_call *call = context;
    const int64_t first = block * UPDATE_FLOATS;
    call->tiles->sgd(
        min_of(UPDATE_FLOATS, call->count - first), call->terms, call->step, call->decay1, call->nesterov,
        call->gradients + first, call->slot1 == NULL ? NULL : call->slot1 + first, call->parameters + first);
}

void ck_sgd(
    int64_t count, ck_gradient_terms terms, float learning_rate, float momentum, bool nesterov, const float *gradients,
    float *velocity, float *parameters) {
    update_call call = {
        .count = count,
        .terms = terms,
        .step = learning_rate,
        .decay1 = momentum,
        .nesterov = nesterov,
        .gradients = gradients,
        .slot1 = velocity,
        .parameters = parameters};
    over_blocks(&call, velocity == NULL ? 12 : 20, sgd_task);
}

static void adam_task(void *context, int64_t block, int worker) {
    (void)worker;
    const update_call *call = context;
    const int64_t first = block * UPDATE_FLOATS;
    call->tiles->adam(
        min_of(UPDATE_FLOATS, call->count - first), call->terms, call->step, call->decay1, call->decay2, call->epsilon,
        call->gradients + first, call->slot1 + first, call->slot2 + first, call->parameters + first);
}

void ck_adam(
    int64_t count, ck_gradient_terms terms, float step_size, float beta1, float beta2, float epsilon,
    const float *gradients, float *first_moment, float *second_moment, float *parameters) {
    update_call call = {
        .count = count,
        .terms = terms,
        .step = step_size,
        .decay1 = beta1,
        .decay2 = beta2,
        .epsilon = epsilon,
        .gradients = gradients,
        .slot1 = first_moment,
        .slot2 = second_moment,
        .parameters = parameters};
    over_blocks(&call, 28, adam_task);
}

static void rmsprop_task(void *context, int64_t block, int worker) {
    (void)worker;
    const update_call *call = context;
    const int64_t first = block * UPDATE_FLOATS;
    call->tiles->rmsprop(
        min_of(UPDATE_FLOATS, call->count - first), call->terms, call->step, call->decay2, call->epsilon,
        call->gradients + first, call->slot1 + first, call->parameters + first);
}

void ck_rmsprop(
    int64_t count, ck_gradient_terms terms, float learning_rate, float rho, float epsilon, const float *gradients,
    float *mean_square, float *parameters) {
    update_call call = {
        .count = count,
        .terms = terms,
        .step = learning_rate,
        .decay2 = rho,
        .epsilon = epsilon,
        .gradients = gradients,
        .slot1 = mean_square,
        .parameters = parameters};
    over_blocks(&call, 20, rmsprop_task);
}

ck_plan ck_update_plan(int64_t count) {
    ck_plan loops = {0};
    add_loop(&loops, "blocks", count, UPDATE_FLOATS);
    return loops;
}
