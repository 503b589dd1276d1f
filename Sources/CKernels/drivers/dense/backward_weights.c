// Dense backward-weights. A task takes a block of the inputs for all rows of the batch, so that each gradient is
// written once. A is the block's inputs, and the sum runs over the batch. B is dy. C is the gradients of the weights
// themselves.

#include "drivers/dense/dense.h"
#include "drivers/shared/loops.h"
#include "runtime/threads.h"

enum { LEAST_WEIGHTS_INPUTS = 512 };

typedef struct weights_plan {
    dense_blocks blocks;
    int64_t packed_floats;
} weights_plan;

static weights_plan plan_of(const ck_dense *dense) {
    weights_plan plan = {.blocks = ck_dense_blocks(dense, LEAST_WEIGHTS_INPUTS)};
    plan.packed_floats = dense_slab_rows(dense) * dense_packed_stride(&plan.blocks);
    return plan;
}

typedef struct weights_memory {
    float *packed;
    size_t size;
} weights_memory;

static weights_memory memory_of(const weights_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    weights_memory memory;
    memory.packed = take_floats(&parts, ck_worker_limit(plan->blocks.count) * plan->packed_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_dense_backward_weights_scratch(const ck_dense *dense) {
    const weights_plan plan = plan_of(dense);
    return memory_of(&plan, NULL).size;
}

typedef struct weights_call {
    const ck_dense *dense;
    const ck_kernels *kernels;
    weights_plan plan;
    gemm_panels panels;
    const float *z, *slopes, *dy;
    weights_memory memory;
    float *dweights;
    float *dbias; // NULL if not wanted
} weights_call;

static void weights_block(void *context, int64_t task, int worker) {
    const weights_call *call = context;
    const ck_dense *dense = call->dense;
    const int64_t out_features = dense->out_features;
    const dense_block block = ck_dense_block(dense, &call->plan.blocks, task);
    float *packed = call->memory.packed + worker * call->plan.packed_floats;
    if (task == 0 && call->dbias != NULL)
        call->kernels->gemm.sum_rows(call->dy, dense->batch, out_features, true, call->dbias);
    for (int64_t row = 0; row < dense->batch; row += GEMM_SLAB_ROWS) {
        const int64_t rows = min_of(GEMM_SLAB_ROWS, dense->batch - row);
        const dense_inputs inputs =
            ck_dense_inputs(call->kernels, dense, &block, call->z, call->slopes, row, rows, packed);
        const gemm_sum sum = {
            .runs = 1,
            .length = rows,
            .a_runs = &no_offset,
            .a_step = inputs.stride,
            .b_step = out_features,
            .a_distance = 1};
        gemm_product product = {
            .sum = sum,
            .panels = call->panels,
            .b = call->dy + row * out_features,
            .b_panel = call->panels.width,
            .initial = row == 0 ? ck_gemm_zeros : NULL,
            .c_stride = out_features,
        };
        for (int64_t segment = 0; segment < block.segments; segment++) {
            const gemm_rows elements = gemm_rows_apart(inputs.start + segment * block.segment_length, 1);
            product.c = call->dweights + (block.first_row + segment * block.segment_distance) * out_features;
            ck_gemm(call->kernels, &product, &elements, block.segment_length);
        }
    }
}

void ck_dense_backward_weights(
    const ck_dense *dense, const float *z, const float *slopes, const float *dy, float *dweights, float *dbias,
    void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    weights_call call = {
        .dense = dense,
        .kernels = kernels,
        .plan = plan_of(dense),
        .panels = ck_gemm_panels(kernels, dense->out_features),
        .z = z,
        .slopes = slopes,
        .dy = dy,
        .dweights = dweights,
        .dbias = dbias,
    };
    const weights_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    ck_parallel(plan->blocks.count, dense_work(dense), weights_block, &call);
}

void ck_dense_backward_weights_loops(const ck_dense *dense, ck_plan *loops) {
    const weights_plan plan = plan_of(dense);
    const dense_block block = ck_dense_block(dense, &plan.blocks, 0);
    if (plan.blocks.channel_blocks > 1)
        add_loop(loops, "weights: blocks of channels", dense->channels, plan.blocks.channels);
    else add_loop(loops, "weights: blocks of positions", dense->positions, plan.blocks.positions);
    add_loop(loops, "weights: slabs of inputs", block.segment_length, GEMM_SLAB_ROWS);
    add_loop(
        loops, "weights: panels of outputs", dense->out_features,
        ck_gemm_panels(ck_kernels_current(), dense->out_features).width);
}
