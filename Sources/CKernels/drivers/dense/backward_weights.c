// Dense backward-weights. A task takes a block of the inputs for all rows of the batch, so that each gradient is
// written once, and all columns or, on many threads, a slice of them. A is the block's inputs, and the sum runs over
// the batch. B is dy. C is the gradients of the weights themselves.

#include "drivers/dense/dense.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

enum {
    LEAST_WEIGHTS_INPUTS = 512,
    // On many threads. A task packs its inputs anew, which fewer columns would not repay.
    LEAST_TASK_INPUTS = 64,
    LEAST_PACKED_COLUMNS = 192,
    LEAST_PLAIN_COLUMNS = 48,
};

typedef struct weights_plan {
    dense_blocks blocks;
    int64_t slices, slice_columns;
    int64_t most_tasks, packed_floats;
} weights_plan;

static weights_plan plan_of(const ck_dense *dense) {
    const dense_blocks blocks = ck_dense_blocks(dense, LEAST_WEIGHTS_INPUTS);
    weights_plan plan = {
        .blocks = ck_dense_finer_blocks(dense, &blocks, pieces_for_threads(blocks.count), LEAST_TASK_INPUTS)};
    const int64_t least = ck_activation_reads_plain(&dense->activation) ? LEAST_PLAIN_COLUMNS : LEAST_PACKED_COLUMNS;
    const int64_t finest = divide_up(dense->out_features, least);
    const int64_t slices = min_of(pieces_for_threads(plan.blocks.count), finest);
    plan.slice_columns = gemm_padded_columns(divide_up(dense->out_features, slices));
    plan.slices = divide_up(dense->out_features, plan.slice_columns);
    // The finest blocks may be shorter than a block: the blocks of all positions end there.
    plan.most_tasks = dense->positions * dense->channels * finest;
    plan.packed_floats = dense_slab_rows(dense) * dense_packed_stride(&blocks);
    return plan;
}

typedef struct weights_memory {
    float *packed;
    size_t size;
} weights_memory;

static weights_memory memory_of(const weights_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    weights_memory memory;
    memory.packed = take_floats(&parts, ck_worker_limit(plan->most_tasks) * plan->packed_floats);
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
    const float *z, *slopes, *dy;
    weights_memory memory;
    float *dweights;
    float *dbias; // NULL if not wanted
} weights_call;

static void weights_block(void *context, int64_t task, int worker) {
    const weights_call *call = context;
    const ck_dense *dense = call->dense;
    const weights_plan *plan = &call->plan;
    const int64_t out_features = dense->out_features;
    // The bias has the first task, which is short.
    if (call->dbias != NULL && task-- == 0) {
        ck_count_floats(dense->batch * out_features);
        call->kernels->gemm.sum_rows(call->dy, dense->batch, out_features, true, call->dbias);
        return;
    }
    const dense_block block = ck_dense_block(dense, &plan->blocks, task / plan->slices);
    const int64_t column = task % plan->slices * plan->slice_columns;
    const gemm_panels panels = ck_gemm_panels(call->kernels, min_of(plan->slice_columns, out_features - column));
    float *packed = call->memory.packed + worker * plan->packed_floats;
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
            .panels = panels,
            .b = call->dy + row * out_features + column,
            .b_panel = panels.width,
            .initial = row == 0 ? ck_gemm_zeros : NULL,
            .c_stride = out_features,
        };
        for (int64_t segment = 0; segment < block.segments; segment++) {
            const gemm_rows elements = gemm_rows_apart(inputs.start + segment * block.segment_length, 1);
            product.c = call->dweights + (block.first_row + segment * block.segment_distance) * out_features + column;
            ck_gemm(call->kernels, &product, &elements, block.segment_length);
        }
    }
}

void ck_dense_backward_weights(
    const ck_dense *dense, const float *z, const float *slopes, const float *dy, float *dweights, float *dbias,
    void *scratch) {
    weights_call call = {
        .dense = dense,
        .kernels = ck_kernels_current(),
        .plan = plan_of(dense),
        .z = z,
        .slopes = slopes,
        .dy = dy,
        .dweights = dweights,
        .dbias = dbias,
    };
    const weights_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    ck_parallel(plan->blocks.count * plan->slices + (dbias != NULL), dense_work(dense), weights_block, &call);
}

void ck_dense_backward_weights_loops(const ck_dense *dense, ck_plan *loops) {
    const weights_plan plan = plan_of(dense);
    const dense_block block = ck_dense_block(dense, &plan.blocks, 0);
    if (plan.blocks.channel_blocks > 1)
        add_loop(loops, "weights: blocks of channels", dense->channels, plan.blocks.channels);
    else add_loop(loops, "weights: blocks of positions", dense->positions, plan.blocks.positions);
    add_loop(loops, "weights: slabs of inputs", block.segment_length, GEMM_SLAB_ROWS);
    if (ck_threads() > FEW_THREADS)
        add_loop(loops, "weights: slices of columns", dense->out_features, plan.slice_columns);
    add_loop(
        loops, "weights: panels of outputs", dense->out_features,
        ck_gemm_panels(ck_kernels_current(), dense->out_features).width);
}
