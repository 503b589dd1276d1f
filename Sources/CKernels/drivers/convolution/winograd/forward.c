// Winograd forward. A task takes a block of tiles through all three steps, so that frequencies stay in its cache. Where
// blocks are few, several tasks share a block, each with some columns of y:
//   A  frequencies of the input: a matrix [tile][K] for each
//   B  frequencies of the weights, packed as [frequency][panel][K][width], shared by all tasks
//   C  frequencies of the output: a matrix [tile][N] for each, then y

#include "drivers/convolution/winograd/winograd.h"
#include "drivers/shared/loops.h"
#include "runtime/threads.h"

enum {
    // Rows of A that share a pass over the weights: many, as long as the frequencies of these rows stay in L2 beside
    // the weights.
    LEAST_BLOCK_TILES = 16,
    MOST_BLOCK_TILES = 48,
    BLOCK_BYTES = 672 << 10,
    WEIGHT_ROWS = 8, // of K in one task of the weights' map
    MOST_PARTS = 8,  // tasks that share a block; each maps the block's input for itself
};

typedef struct forward_plan {
    int64_t depth; // K
    tile_grid grid;
    tile_window window;
    int64_t slice, plane_floats;
    int64_t block_segments, blocks;
    frequency_matrices inputs, outputs;
    int64_t weight_floats; // of all frequencies of the weights
} forward_plan;

static forward_plan plan_of(const ck_convolution *c) {
    const winograd_tiles *shape = ck_winograd_shape(c, CK_FORWARD);
    forward_plan plan = {.depth = convolution_depth(c)};
    plan.grid = ck_tile_grid(divide_up(c->out_height, shape->output_tile), divide_up(c->out_width, shape->output_tile));
    plan.window = (tile_window){shape->patch, shape->tile, -c->pad_top, -c->pad_left};
    const int64_t members = c->activation.member_count, segment = plan.grid.segment_columns;
    plan.slice = ck_winograd_slice(&plan.window, segment, c->channels, members);
    plan.plane_floats = round_up(ck_winograd_plane_floats(&plan.window, segment, members * plan.slice), 16);
    const int64_t frequencies = input_frequencies(shape), outputs = shape->outputs * shape->outputs;
    const int64_t tile_bytes = (frequencies * plan.depth + outputs * c->out_channels) * 4;
    const int64_t tiles = min_of(max_of(BLOCK_BYTES / tile_bytes, LEAST_BLOCK_TILES), MOST_BLOCK_TILES);
    plan.block_segments = max_of(tiles / segment, 1);
    plan.blocks = divide_up(c->batch * plan.grid.image_segments, plan.block_segments);
    plan.inputs = ck_frequency_matrices(frequencies, plan.block_segments * segment, plan.depth);
    plan.outputs = ck_frequency_matrices(outputs, plan.block_segments * segment, c->out_channels);
    plan.weight_floats = weight_frequencies(shape) * spread_matrix(plan.depth * gemm_padded_columns(c->out_channels));
    return plan;
}

// A worker's parts lie side by side, so that few workers touch few pages.
typedef struct forward_memory {
    float *weight_frequencies;
    float *plane, *input_frequencies, *output_frequencies; // of worker 0
    int64_t worker_floats;                                 // from one worker's parts to the next worker's
    size_t size;
} forward_memory;

static forward_memory memory_of(const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.weight_frequencies = take_floats(&parts, plan->weight_floats);
    const size_t shared = parts.size;
    memory.plane = take_floats(&parts, plan->plane_floats);
    memory.input_frequencies = take_floats(&parts, frequency_floats(&plan->inputs));
    memory.output_frequencies = take_floats(&parts, frequency_floats(&plan->outputs));
    memory.worker_floats = take_for_workers(&parts, shared, ck_worker_limit(plan->blocks * MOST_PARTS));
    memory.size = parts.size;
    return memory;
}

size_t ck_winograd_forward_scratch(const ck_convolution *convolution) {
    const forward_plan plan = plan_of(convolution);
    return memory_of(&plan, NULL).size;
}

typedef struct forward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    const winograd_tiles *tiles;
    forward_plan plan;
    gemm_panels panels;
    int64_t parts, part_panels; // tasks of a block, and the panels of each
    const float *z, *slopes, *weights, *bias;
    forward_memory memory;
    float *y;
} forward_call;

// Cuts blocks into smaller blocks, and blocks into tasks that share a block's columns: the cut that takes the fewest
// multiplications, one after the other on the busiest thread. Tiles and columns of a product don't depend on one
// another, so the cut changes no bit. There are at most MOST_PARTS tasks for each block of the plan.
static void cut_blocks(forward_call *call, int64_t threads) {
    const gemm_panels *panels = &call->panels;
    const forward_plan plan = call->plan;
    const int64_t segments = call->convolution->batch * plan.grid.image_segments;
    call->part_panels = panels->count;
    call->parts = 1;
    if (threads == 1) return;
    cost least = 0;
    for (int64_t block = plan.block_segments; block * MOST_PARTS >= plan.block_segments; block--)
        for (int64_t parts = 1; parts <= panels->count; parts++) {
            const int64_t blocks = divide_up(segments, block);
            if (parts * divide_up(plan.block_segments, block) > MOST_PARTS) break;
            const int64_t part_panels = divide_up(panels->count, parts), tiles = block * plan.grid.segment_columns;
            const int64_t columns = min_of(part_panels * panels->width, panels->columns);
            const cost task =
                (tiles + PASS_TILES) * (cost)plan.depth * columns + (cost)tiles * MAP_COST * (plan.depth + columns);
            const cost turns = divide_up(blocks * divide_up(panels->count, part_panels), threads) * task;
            if (least != 0 && turns >= least) continue;
            least = turns;
            call->plan.block_segments = block;
            call->plan.blocks = blocks;
            call->part_panels = part_panels;
            call->parts = divide_up(panels->count, part_panels);
        }
}

static void map_weights(void *context, int64_t task, int worker) {
    (void)worker;
    const forward_call *call = context;
    const int64_t depth = call->plan.depth, columns = call->convolution->out_channels;
    const int64_t end = min_of((task + 1) * WEIGHT_ROWS, depth);
    ck_count_floats((9 + weight_frequencies(call->tiles)) * (end - task * WEIGHT_ROWS) * columns);
    for (int64_t panel = 0; panel < call->panels.count; panel++)
        for (int64_t k = task * WEIGHT_ROWS; k < end; k++)
            call->tiles->weights(
                call->weights + k * columns + panel * call->panels.width, depth * columns,
                gemm_panel_columns(&call->panels, panel),
                call->memory.weight_frequencies + (panel * depth + k) * call->panels.width,
                spread_matrix(call->panels.count * depth * call->panels.width));
}

// The panels of a task.
typedef struct panel_range {
    int64_t first, column;
    gemm_panels panels;
} panel_range;

static panel_range panels_of(const forward_call *call, int64_t part) {
    const int64_t first = part * call->part_panels;
    return (panel_range){first, first * call->panels.width, gemm_panel_range(&call->panels, first, call->part_panels)};
}

// C += A·B for all frequencies of a block of `rows` tiles, in the columns of `range`.
static void multiply_frequencies(
    const forward_call *call, const panel_range *range, int64_t rows, const float *inputs, float *outputs) {
    const winograd_tiles *tiles = call->tiles;
    const forward_plan *plan = &call->plan;
    const int64_t width = call->panels.width, panel_floats = plan->depth * width;
    const gemm_sum sum = {
        .runs = 1,
        .length = plan->depth,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = width,
        .a_distance = plan->inputs.row};
    gemm_product product = {
        .sum = sum, .panels = range->panels, .b_panel = panel_floats, .c_stride = plan->outputs.row};
    for (int i = 0; i < tiles->frequencies; i++)
        for (int j = 0; j < tiles->frequencies; j++) {
            const int frequency = i * tiles->frequencies + j;
            const int64_t weight = frequency_weight(tiles, frequency);
            const int64_t output = tiles->output_of[i] * tiles->outputs + tiles->output_of[j];
            // The first `outputs` frequencies of each axis come first, and each of these has a place of its own.
            const bool first = i < tiles->outputs && j < tiles->outputs;
            product.b = call->memory.weight_frequencies + weight * spread_matrix(call->panels.count * panel_floats)
                + range->first * panel_floats;
            product.initial = first ? ck_gemm_zeros : NULL;
            product.c = outputs + output * plan->outputs.matrix + range->column;
            const gemm_rows a = gemm_rows_apart(inputs + frequency * plan->inputs.matrix, plan->inputs.row);
            ck_gemm(call->kernels, &product, &a, rows);
        }
}

static void convolve_block(void *context, int64_t task, int worker) {
    const forward_call *call = context;
    const ck_convolution *c = call->convolution;
    const forward_plan *plan = &call->plan;
    const frequency_source source = {
        {call->kernels, &c->activation, call->slopes, c->height, c->width, c->channels, 0, c->channels},
        plan->window,
        plan->slice,
        call->tiles->inputs};
    float *plane = call->memory.plane + worker * call->memory.worker_floats;
    float *inputs = call->memory.input_frequencies + worker * call->memory.worker_floats;
    float *outputs = call->memory.output_frequencies + worker * call->memory.worker_floats;
    const panel_range range = panels_of(call, task % call->parts);
    const int64_t first = task / call->parts * plan->block_segments;
    const int64_t end = min_of(first + plan->block_segments, c->batch * plan->grid.image_segments);

    multiply_frequencies(
        call, &range,
        ck_segments_to_frequencies(&source, &plan->grid, first, end, call->z, plane, inputs, &plan->inputs), inputs,
        outputs);
    const int64_t columns = range.panels.columns;
    const plane_source result = {call->kernels, &ck_no_activation, NULL,         c->out_height,
                                 c->out_width,  c->out_channels,   range.column, columns};
    const int64_t output_tile = call->tiles->output_tile;
    const tile_window result_window = {output_tile, output_tile, 0, 0};
    const winograd_pixels pixels = {c->out_width * c->out_channels, c->out_channels};
    int64_t rows = 0;
    for (int64_t index = first; index < end; index++) {
        const tile_segment segment = ck_tile_segment(&plan->grid, index),
                           next = ck_tile_segment(&plan->grid, index + 1);
        const int64_t y = segment.row * output_tile;
        for (int64_t tile = 0; tile < segment.tiles; tile++) {
            const int64_t x = (segment.column + tile) * output_tile;
            if (index + 1 < end) ck_fetch_tile(&result, &result_window, &next, tile, call->y);
            call->tiles->output(
                outputs + (rows + tile) * plan->outputs.row + range.column, plan->outputs.matrix, columns,
                call->bias == NULL ? NULL : call->bias + range.column,
                call->y + ((segment.image * c->out_height + y) * c->out_width + x) * c->out_channels + range.column,
                pixels, c->out_height - y, c->out_width - x);
        }
        rows += segment.tiles;
    }
    count_map(rows, columns, plan->inputs.count);
}

void ck_winograd_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    forward_call call = {
        .convolution = convolution,
        .kernels = kernels,
        .tiles = &kernels->winograd[ck_winograd_kind(convolution, CK_FORWARD)],
        .plan = plan_of(convolution),
        .panels = ck_gemm_panels(kernels, convolution->out_channels),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .bias = bias,
        .y = y,
    };
    const forward_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    cut_blocks(&call, ck_threads_for(convolution_work(convolution)));
    const double weight_bytes =
        4.0 * (double)(9 + weight_frequencies(call.tiles)) * (double)plan->depth * (double)convolution->out_channels;
    ck_parallel(divide_up(plan->depth, WEIGHT_ROWS), weight_bytes, map_weights, &call);
    ck_parallel(plan->blocks * call.parts, convolution_work(convolution), convolve_block, &call);
}

void ck_winograd_forward_loops(const ck_convolution *c, ck_plan *loops) {
    const forward_plan plan = plan_of(c);
    add_loop(loops, "blocks of segments", c->batch * plan.grid.image_segments, plan.block_segments);
    add_loop(loops, "segments of a row of tiles", plan.grid.columns, plan.grid.segment_columns);
    add_loop(loops, "slices of channels", c->channels, plan.slice);
    add_loop(loops, "parts of the weights' rows", plan.depth, WEIGHT_ROWS);
    add_loop(loops, "panels of outputs", c->out_channels, ck_gemm_panels(ck_kernels_current(), c->out_channels).width);
}
