// Dense forward. A task multiplies a few neighbouring blocks of the inputs with a range of columns, for all rows of the
// batch or, on many threads, for a range of them. The weights are read where they lie, once for each range of rows. If
// there are several parts along the inputs, each part has partial sums of its own, [part][batch][N]; the partial sums
// are added in order at the end.

#include "drivers/dense/dense.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "runtime/threads.h"

enum {
    // The least inputs of a block, however many columns there are: while all rows of the batch pass, L2 delivers only
    // one panel's rows of weights.
    LEAST_FORWARD_INPUTS = 512,
    MOST_PARTS = 64,
    TASKS_WANTED = 8,
    LEAST_COLUMNS = 192, // a task packs its inputs anew, which fewer columns would not repay
    // The same for tasks that would lack otherwise, and for inputs that are not packed.
    LEAST_PACKED_COLUMNS = 96,
    LEAST_PLAIN_COLUMNS = 48,
};

typedef struct forward_plan {
    dense_blocks blocks;
    int64_t parts;                 // ranges of blocks with partial sums of their own
    int64_t slices, slice_columns; // ranges of columns
    int64_t ranges, range_rows;    // of the batch
    int64_t tasks, most_tasks, packed_floats;
} forward_plan;

// The least columns of a slice on many threads.
static int64_t least_columns(const ck_dense *dense) {
    return ck_activation_reads_plain(&dense->activation) ? LEAST_PLAIN_COLUMNS : LEAST_PACKED_COLUMNS;
}

static forward_plan plan_of(const ck_dense *dense) {
    forward_plan plan = {.blocks = ck_dense_blocks(dense, LEAST_FORWARD_INPUTS)};
    plan.parts = min_of(plan.blocks.count, MOST_PARTS);
    const int64_t most_slices = divide_up(dense->out_features, LEAST_COLUMNS);
    int64_t slices = min_of(divide_up(TASKS_WANTED, plan.parts), most_slices);
    // Rows first: more ranges of rows only read the weights more often.
    const int64_t slabs = divide_up(dense->batch, GEMM_SLAB_ROWS);
    plan.range_rows = divide_up(slabs, min_of(pieces_for_threads(plan.parts * slices), slabs)) * GEMM_SLAB_ROWS;
    plan.ranges = divide_up(dense->batch, plan.range_rows);
    const int64_t pieces = pieces_for_threads(plan.parts * slices * plan.ranges);
    const int64_t finest = divide_up(dense->out_features, least_columns(dense));
    if (pieces > 1) slices = max_of(slices, min_of(slices * pieces, finest));
    plan.slice_columns = gemm_padded_columns(divide_up(dense->out_features, slices));
    plan.slices = divide_up(dense->out_features, plan.slice_columns);
    plan.tasks = plan.parts * plan.slices * plan.ranges;
    plan.most_tasks = plan.parts * slabs * max_of(finest, most_slices);
    plan.packed_floats = dense_slab_rows(dense) * dense_packed_stride(&plan.blocks);
    return plan;
}

typedef struct forward_memory {
    float *sums, *packed;
    size_t size;
} forward_memory;

static forward_memory memory_of(const ck_dense *dense, const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.sums = take_floats(&parts, plan->parts > 1 ? plan->parts * dense->batch * dense->out_features : 0);
    memory.packed = take_floats(&parts, ck_worker_limit(plan->most_tasks) * plan->packed_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_dense_forward_scratch(const ck_dense *dense) {
    const forward_plan plan = plan_of(dense);
    return memory_of(dense, &plan, NULL).size;
}

typedef struct forward_call {
    const ck_dense *dense;
    const ck_kernels *kernels;
    forward_plan plan;
    const float *z, *slopes, *weights, *bias;
    forward_memory memory;
    float *sums; // of all parts, or y itself
} forward_call;

// Adds one block's products for some rows of the batch and some columns.
static void add_block(
    const forward_call *call, const dense_block *block, const dense_inputs *inputs, int64_t rows, int64_t column,
    int64_t columns, const float *initial, float *sums) {
    const int64_t out_features = call->dense->out_features;
    int64_t a_runs[CK_MAX_MEMBERS];
    for (int64_t segment = 0; segment < block->segments; segment++) a_runs[segment] = segment * block->segment_length;
    const gemm_panels panels = ck_gemm_panels(call->kernels, columns);
    const gemm_sum sum = {
        .runs = block->segments,
        .length = block->segment_length,
        .a_runs = a_runs,
        .a_step = 1,
        .b_run = block->segment_distance * out_features,
        .b_step = out_features,
        // Fetches the next panel. The CPU doesn't foresee a row's part of a panel: the stretch is too short.
        .b_ahead = panels.width,
    };
    const gemm_product product = {
        .sum = sum,
        .panels = panels,
        .b = call->weights + block->first_row * out_features + column,
        .b_panel = panels.width,
        .initial = initial,
        .c = sums + column,
        .c_stride = out_features,
    };
    const gemm_rows images = gemm_rows_apart(inputs->start, inputs->stride);
    ck_gemm(call->kernels, &product, &images, rows);
}

static void multiply_part(void *context, int64_t task, int worker) {
    const forward_call *call = context;
    const ck_dense *dense = call->dense;
    const forward_plan *plan = &call->plan;
    const int64_t part = task / plan->ranges / plan->slices;
    const int64_t column = task / plan->ranges % plan->slices * plan->slice_columns;
    const int64_t first_row = task % plan->ranges * plan->range_rows;
    const int64_t end_row = min_of(dense->batch, first_row + plan->range_rows);
    const int64_t columns = min_of(plan->slice_columns, dense->out_features - column);
    const int64_t first_block = part * plan->blocks.count / plan->parts;
    const int64_t end_block = (part + 1) * plan->blocks.count / plan->parts;
    float *packed = call->memory.packed + worker * plan->packed_floats;
    for (int64_t index = first_block; index < end_block; index++) {
        const dense_block block = ck_dense_block(dense, &plan->blocks, index);
        const float *initial = NULL;
        // Only the first part of the sums starts from the bias.
        if (index == first_block) initial = part == 0 && call->bias != NULL ? call->bias + column : ck_gemm_zeros;
        for (int64_t row = first_row; row < end_row; row += GEMM_SLAB_ROWS) {
            const int64_t rows = min_of(GEMM_SLAB_ROWS, end_row - row);
            const dense_inputs inputs =
                ck_dense_inputs(call->kernels, dense, &block, call->z, call->slopes, row, rows, packed);
            add_block(
                call, &block, &inputs, rows, column, columns, initial,
                call->sums + (part * dense->batch + row) * dense->out_features);
        }
    }
}

void ck_dense_forward(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *bias, float *y,
    void *scratch) {
    forward_call call = {
        .dense = dense,
        .kernels = ck_kernels_current(),
        .plan = plan_of(dense),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .bias = bias,
    };
    const forward_plan *plan = &call.plan;
    call.memory = memory_of(dense, plan, scratch);
    call.sums = plan->parts > 1 ? call.memory.sums : y;
    ck_parallel(plan->tasks, dense_work(dense), multiply_part, &call);
    const int64_t outputs = dense->batch * dense->out_features;
    if (plan->parts > 1) ck_sum_parts(call.sums, plan->parts, outputs, outputs, y);
}

void ck_dense_forward_loops(const ck_dense *dense, ck_plan *loops) {
    const forward_plan plan = plan_of(dense);
    const int64_t last_slice = (dense->out_features - 1) % plan.slice_columns + 1;
    if (plan.blocks.channel_blocks > 1) add_loop(loops, "blocks of channels", dense->channels, plan.blocks.channels);
    else add_loop(loops, "blocks of positions", dense->positions, plan.blocks.positions);
    add_split(loops, "parts of blocks", plan.blocks.count, plan.parts);
    add_loop(loops, "slices of columns", dense->out_features, plan.slice_columns);
    if (ck_threads() > FEW_THREADS) add_loop(loops, "ranges of rows", dense->batch, plan.range_rows);
    add_loop(loops, "panels of the last slice", last_slice, ck_gemm_panels(ck_kernels_current(), last_slice).width);
}
