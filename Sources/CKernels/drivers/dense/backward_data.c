// Dense backward-data. A task takes a block of the inputs for all rows of the batch. So each weight is read once, and
// gradients need no partial sums (but those of slopes that several blocks share). On many threads a task may take a
// range of the rows, unless it packs weights or adds slopes' gradients. One factor of the product has to be
// transposed; it is the smaller one:
//   few outputs   A is dy, B the block's weights packed as [panel of inputs][N][width], C the members' gradients
//   many outputs  A is the block's weights where they lie, B dy packed as [N][batch], C the members' gradients,
//                 transposed back
// Both ways add the same terms in the same order. C is folded into dz at once.

#include "drivers/dense/dense.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/slopes.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

enum {
    LEAST_DATA_INPUTS = 48,
    LEAST_PACKED_BATCH = 16,                          // fewer rows leave lanes of a vector idle
    PRODUCT_FLOATS = GEMM_SLAB_ROWS * GEMM_SLAB_ROWS, // some inputs × some rows of the batch
    LEAST_TASK_INPUTS = 32,                           // on many threads
    PACKED_OUTPUTS = 64,                              // of dy in a task
};

typedef struct data_plan {
    dense_blocks blocks;
    bool packs_weights;
    int64_t ranges, range_rows; // of the batch
    int64_t most_tasks;
    int64_t weight_floats, gradient_floats;
    int64_t packed_batch; // floats from one row of the packed dy to the next
    slope_parts slopes;
} data_plan;

static data_plan plan_of(const ck_dense *dense) {
    data_plan plan = {.blocks = ck_dense_blocks(dense, LEAST_DATA_INPUTS)};
    plan.weight_floats = gemm_padded_columns(plan.blocks.length) * dense->out_features;
    plan.gradient_floats = dense_slab_rows(dense) * dense_packed_stride(&plan.blocks);
    plan.slopes = ck_slope_parts(
        &dense->activation, dense->positions, dense->channels, 1, plan.blocks.count / plan.blocks.channel_blocks);
    plan.packs_weights = dense->batch < LEAST_PACKED_BATCH || dense->out_features <= dense->batch;
    const int64_t slabs = divide_up(dense->batch, GEMM_SLAB_ROWS);
    int64_t range_slabs = slabs;
    plan.most_tasks = plan.blocks.count;
    if (plan.slopes.count == 0) {
        // Rows first: more ranges of rows only read the weights more often.
        if (!plan.packs_weights) range_slabs = divide_up(slabs, min_of(pieces_for_threads(plan.blocks.count), slabs));
        const int64_t pieces = pieces_for_threads(plan.blocks.count * divide_up(slabs, range_slabs));
        plan.blocks = ck_dense_finer_blocks(dense, &plan.blocks, pieces, LEAST_TASK_INPUTS);
        plan.most_tasks = dense->positions * dense->channels * slabs;
    }
    plan.range_rows = range_slabs * GEMM_SLAB_ROWS;
    plan.ranges = divide_up(dense->batch, plan.range_rows);
    plan.packed_batch = round_up(min_of(dense->batch, dense->out_features), 16);
    return plan;
}

// Room for both ways, so that the scratch never shrinks when the batch grows. A worker's parts lie side by side, so
// that few workers touch few pages.
typedef struct data_memory {
    float *packed_gradients, *slope_gradients;
    float *weights, *products, *gradients; // of worker 0
    int64_t worker_floats;                 // from one worker's parts to the next worker's
    size_t size;
} data_memory;

static data_memory memory_of(const ck_dense *dense, const data_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    data_memory memory;
    memory.packed_gradients = take_floats(&parts, dense->out_features * plan->packed_batch);
    memory.slope_gradients = take_floats(&parts, plan->slopes.count * plan->slopes.stride);
    const size_t shared = parts.size;
    memory.weights = take_floats(&parts, plan->weight_floats);
    memory.products = take_floats(&parts, PRODUCT_FLOATS);
    memory.gradients = take_floats(&parts, plan->gradient_floats);
    memory.worker_floats = take_for_workers(&parts, shared, ck_worker_limit(plan->most_tasks));
    memory.size = parts.size;
    return memory;
}

size_t ck_dense_backward_data_scratch(const ck_dense *dense) {
    const data_plan plan = plan_of(dense);
    return memory_of(dense, &plan, NULL).size;
}

typedef struct data_call {
    const ck_dense *dense;
    const ck_kernels *kernels;
    data_plan plan;
    const float *z, *slopes, *weights, *dy;
    data_memory memory;
    float *dz;
    float *slope_gradients; // NULL if not wanted
    bool accumulate;
} data_call;

static void pack_weights(const data_call *call, const dense_block *block, const gemm_panels *panels, float *packed) {
    const int64_t out_features = call->dense->out_features;
    for (int64_t panel = 0; panel < panels->count; panel++, packed += out_features * panels->width) {
        const int64_t first = panel * panels->width, end = first + gemm_panel_columns(panels, panel);
        int64_t count;
        for (int64_t input = first; input < end; input += count) {
            const int64_t segment = input / block->segment_length, offset = input % block->segment_length;
            count = min_of(end - input, block->segment_length - offset);
            const int64_t row = block->first_row + segment * block->segment_distance + offset;
            call->kernels->gemm.transpose(
                call->weights + row * out_features, out_features, count, out_features, packed + (input - first),
                panels->width);
        }
    }
}

// The members' gradients for `rows` rows of the batch, from the packed weights.
static void multiply_packed_weights(
    const data_call *call, const dense_block *block, int64_t first, int64_t rows, const float *packed,
    float *gradients) {
    const int64_t out_features = call->dense->out_features;
    const gemm_panels panels = ck_gemm_panels(call->kernels, block->length);
    const gemm_sum sum = {
        .runs = 1,
        .length = out_features,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = panels.width,
        .a_distance = out_features};
    const gemm_product product = {
        .sum = sum,
        .panels = panels,
        .b = packed,
        .b_panel = out_features * panels.width,
        .initial = ck_gemm_zeros,
        .c = gradients,
        .c_stride = dense_packed_stride(&call->plan.blocks),
    };
    const gemm_rows images = gemm_rows_apart(call->dy + first * out_features, out_features);
    ck_gemm(call->kernels, &product, &images, rows);
}

// The same from the packed dy, some inputs at a time.
static void multiply_packed_gradients(
    const data_call *call, const dense_block *block, int64_t first, int64_t rows, float *products, float *gradients) {
    const int64_t out_features = call->dense->out_features;
    const gemm_panels panels = ck_gemm_panels(call->kernels, rows);
    const gemm_sum sum = {
        .runs = 1, .length = out_features, .a_runs = &no_offset, .a_step = 1, .b_step = call->plan.packed_batch};
    const gemm_product product = {
        .sum = sum,
        .panels = panels,
        .b = call->memory.packed_gradients + first,
        .b_panel = panels.width,
        .initial = ck_gemm_zeros,
        .c = products,
        .c_stride = GEMM_SLAB_ROWS,
    };
    const gemm_rows weights = {
        .start = call->weights + block->first_row * out_features,
        .run = block->segment_length,
        .run_step = block->segment_distance * out_features,
        .step = out_features,
    };
    for (int64_t input = 0; input < block->length; input += GEMM_SLAB_ROWS) {
        const int64_t inputs = min_of(GEMM_SLAB_ROWS, block->length - input);
        const float *starts[GEMM_SLAB_ROWS];
        ck_gemm_find_rows(&weights, input, inputs, starts);
        ck_gemm_slab(call->kernels, &product, starts, inputs);
        call->kernels->gemm.transpose(
            products, GEMM_SLAB_ROWS, inputs, rows, gradients + input, dense_packed_stride(&call->plan.blocks));
    }
}

static void data_block(void *context, int64_t task, int worker) {
    const data_call *call = context;
    const ck_dense *dense = call->dense;
    const data_plan *plan = &call->plan;
    const int64_t stride = dense_packed_stride(&plan->blocks);
    const int64_t index = task / plan->ranges;
    const dense_block block = ck_dense_block(dense, &plan->blocks, index);
    const gemm_panels panels = ck_gemm_panels(call->kernels, block.length);
    float *packed = call->memory.weights + worker * call->memory.worker_floats;
    float *gradients = call->memory.gradients + worker * call->memory.worker_floats;
    if (plan->packs_weights) pack_weights(call, &block, &panels, packed);

    activation_block extent = ck_dense_activation_block(dense, &block);
    const int64_t image = dense->positions * dense->channels;
    const int64_t at = block.first_position * dense->channels + block.first_channel;
    const int64_t slope_at = block.first_position * extent.slope_position + block.first_channel;
    float *slope_part = NULL;
    if (call->slope_gradients != NULL)
        slope_part = ck_slope_part_start(
                         &plan->slopes, call->slope_gradients, 0, index / plan->blocks.channel_blocks,
                         (slope_range){block.first_position, block.positions, block.first_channel, block.channels})
            + slope_at;

    const int64_t first_row = task % plan->ranges * plan->range_rows;
    const int64_t end_row = min_of(dense->batch, first_row + plan->range_rows);
    for (int64_t first = first_row; first < end_row; first += GEMM_SLAB_ROWS) {
        const int64_t rows = min_of(GEMM_SLAB_ROWS, end_row - first);
        if (plan->packs_weights) multiply_packed_weights(call, &block, first, rows, packed, gradients);
        else
            multiply_packed_gradients(
                call, &block, first, rows, call->memory.products + worker * call->memory.worker_floats, gradients);
        for (int64_t row = 0; row < rows; row++) {
            const int64_t z_at = (first + row) * image + at;
            call->kernels->activation.backward(
                &dense->activation, &extent, call->z + z_at, call->slopes == NULL ? NULL : call->slopes + slope_at,
                gradients + row * stride, call->dz == NULL ? NULL : call->dz + z_at, call->accumulate, slope_part);
        }
    }
}

// Some columns of dy.
static void pack_gradients(void *context, int64_t task, int worker) {
    (void)worker;
    const data_call *call = context;
    const int64_t out_features = call->dense->out_features, stride = call->plan.packed_batch;
    const int64_t column = task * PACKED_OUTPUTS, columns = min_of(PACKED_OUTPUTS, out_features - column);
    ck_count_floats(2 * call->dense->batch * columns);
    call->kernels->gemm.transpose(
        call->dy + column, out_features, call->dense->batch, columns, call->memory.packed_gradients + column * stride,
        stride);
}

void ck_dense_backward_data(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *dy, float *dz,
    bool accumulate, float *dslopes, void *scratch) {
    data_call call = {
        .dense = dense,
        .kernels = ck_kernels_current(),
        .plan = plan_of(dense),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .dy = dy,
        .dz = dz,
        .accumulate = accumulate,
    };
    const data_plan *plan = &call.plan;
    call.memory = memory_of(dense, plan, scratch);
    if (!plan->packs_weights) {
        const double bytes = 8.0 * (double)dense->batch * (double)dense->out_features;
        ck_parallel(divide_up(dense->out_features, PACKED_OUTPUTS), bytes, pack_gradients, &call);
    }
    if (dslopes != NULL && plan->slopes.count > 0) call.slope_gradients = call.memory.slope_gradients;
    ck_parallel(plan->blocks.count * plan->ranges, dense_work(dense), data_block, &call);
    if (call.slope_gradients != NULL) ck_sum_slope_parts(&plan->slopes, call.slope_gradients, dslopes);
}

void ck_dense_backward_data_loops(const ck_dense *dense, ck_plan *loops) {
    const data_plan plan = plan_of(dense);
    const dense_blocks *blocks = &plan.blocks;
    if (blocks->channel_blocks > 1) add_loop(loops, "data: blocks of channels", dense->channels, blocks->channels);
    else add_loop(loops, "data: blocks of positions", dense->positions, blocks->positions);
    if (plan.packs_weights) {
        const gemm_panels panels = ck_gemm_panels(ck_kernels_current(), blocks->length);
        add_loop(loops, "data: panels of inputs", blocks->length, panels.width);
    } else {
        const ck_kernels *kernels = ck_kernels_current();
        const int64_t rows = (dense->batch - 1) % GEMM_SLAB_ROWS + 1;
        add_loop(loops, "data: slabs of inputs", blocks->length, GEMM_SLAB_ROWS);
        add_loop(loops, "data: packed outputs", dense->out_features, PACKED_OUTPUTS);
        if (ck_threads() > FEW_THREADS && plan.slopes.count == 0)
            add_loop(loops, "data: ranges of rows", dense->batch, plan.range_rows);
        // With the longest vectors, one panel takes a whole slab.
        if (kernels->gemm.vectors * kernels->vector_floats < GEMM_SLAB_ROWS)
            add_loop(loops, "data: panels of the last images", rows, ck_gemm_panels(kernels, rows).width);
    }
}
