// The stand-alone activation. A task takes a block of positions of some images.

#include "dispatch/kernels.h"
#include "drivers/shared/activation.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/scratch.h"
#include "drivers/shared/slopes.h"
#include "include/ck_activation.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

/// Operations on each element of a member.
enum { MEMBER_COST = 16 };

// The most groups of images where slopes have gradients. Each group has a part of the sums of these gradients.
enum { MOST_GROUPS = 8 };

typedef struct activation_plan {
    int64_t block_positions, blocks; // of an image
    int64_t groups;                  // of images, which share a part of the slopes' gradients
    slope_parts slopes;
} activation_plan;

static activation_plan plan_of(const ck_activation_shape *shape) {
    activation_plan plan;
    plan.block_positions = min_of(rows_per_block(shape->channels), shape->positions);
    plan.blocks = divide_up(shape->positions, plan.block_positions);
    plan.groups =
        ck_activation_slope_count(&shape->activation, 1, 1) > 0 ? min_of(shape->batch, MOST_GROUPS) : shape->batch;
    plan.slopes = ck_slope_parts(&shape->activation, shape->positions, shape->channels, plan.groups, plan.blocks);
    return plan;
}

typedef struct activation_call {
    const ck_activation_shape *shape;
    const activation_tiles *tiles;
    activation_plan plan;
    const float *z, *slopes, *dout;
    float *out, *dz;
    float *slope_gradients; // NULL if not wanted
    bool accumulate;
} activation_call;

static void run_block(void *context, int64_t task, int worker) {
    (void)worker;
    const activation_call *call = context;
    const ck_activation_shape *shape = call->shape;
    const activation_plan *plan = &call->plan;
    const int64_t group = task / plan->blocks, band = task % plan->blocks, first = band * plan->block_positions;
    const int64_t positions = min_of(plan->block_positions, shape->positions - first);
    const activation_block block = ck_activation_block(
        &shape->activation, (activation_extent){shape->positions, shape->channels},
        (activation_extent){positions, shape->channels});
    const float *slopes = call->slopes == NULL ? NULL : call->slopes + first * block.slope_position;
    float *part = NULL;
    if (call->slope_gradients != NULL)
        part =
            ck_slope_part_start(
                &plan->slopes, call->slope_gradients, group, band, (slope_range){first, positions, 0, shape->channels})
            + first * block.slope_position;
    const int64_t first_image = group * shape->batch / plan->groups;
    const int64_t end_image = (group + 1) * shape->batch / plan->groups;
    ck_count_operations(
        MEMBER_COST * (end_image - first_image) * positions * shape->channels * shape->activation.member_count);
    for (int64_t b = first_image; b < end_image; b++) {
        const int64_t position = b * shape->positions + first;
        const float *z = call->z + position * block.z_position;
        if (call->dout == NULL)
            call->tiles->forward(&shape->activation, &block, z, slopes, call->out + position * block.out_position);
        else
            call->tiles->backward(
                &shape->activation, &block, z, slopes, call->dout + position * block.out_position,
                call->dz == NULL ? NULL : call->dz + position * block.z_position, call->accumulate, part);
    }
}

static void run(activation_call *call) {
    const ck_activation_shape *shape = call->shape;
    call->tiles = &ck_kernels_current()->activation;
    const double work = (double)MEMBER_COST * (double)shape->batch * (double)shape->positions * (double)shape->channels
        * (double)shape->activation.member_count;
    ck_parallel(call->plan.groups * call->plan.blocks, work, run_block, call);
}

void ck_activation_forward(const ck_activation_shape *shape, const float *z, const float *slopes, float *out) {
    activation_call call = {.shape = shape, .plan = plan_of(shape), .z = z, .slopes = slopes, .out = out};
    run(&call);
}

typedef struct backward_memory {
    float *slope_gradients;
    size_t size;
} backward_memory;

static backward_memory memory_of(const activation_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.slope_gradients = take_floats(&parts, plan->slopes.count * plan->slopes.stride);
    memory.size = parts.size;
    return memory;
}

size_t ck_activation_backward_scratch(const ck_activation_shape *shape) {
    const activation_plan plan = plan_of(shape);
    return memory_of(&plan, NULL).size;
}

void ck_activation_backward(
    const ck_activation_shape *shape, const float *z, const float *slopes, const float *dout, float *dz,
    bool accumulate, float *dslopes, void *scratch) {
    activation_call call = {
        .shape = shape,
        .plan = plan_of(shape),
        .z = z,
        .slopes = slopes,
        .dout = dout,
        .dz = dz,
        .accumulate = accumulate,
    };
    if (dslopes != NULL && call.plan.slopes.count > 0)
        call.slope_gradients = memory_of(&call.plan, scratch).slope_gradients;
    run(&call);
    if (call.slope_gradients != NULL) ck_sum_slope_parts(&call.plan.slopes, call.slope_gradients, dslopes);
}

ck_plan ck_activation_plan(const ck_activation_shape *shape) {
    const activation_plan plan = plan_of(shape);
    ck_plan loops = {0};
    add_loop(&loops, "blocks of positions", shape->positions, plan.block_positions);
    if (plan.slopes.count > 0) add_split(&loops, "groups of images", shape->batch, plan.groups);
    return loops;
}
