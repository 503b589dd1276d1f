// Winograd backward (see backward.h): how a call is divided, and its tasks.

#include "drivers/convolution/winograd/backward.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "include/ck_runtime.h"
#include "runtime/threads.h"

enum {
    GROUPS = 4,
    MOST_GROUPS = 16, // where each has LEAST_GROUP_TILES: one more part of the weights' gradients is little work then
    LEAST_GROUP_TILES = 384,
    SLICED_GROUPS = 8, // groups × slices, which keep so many threads busy
    CHUNK_TILES = 64,  // about so many tiles share a pass over the weights and a pass over the weights' gradients
    MOST_CHUNK_TILES = 96,
    PART_BYTES = 24 << 20, // of the weights' gradients of all groups, which are read once more than needed
    // The gradients of members that are folded at once, in L1: of several tiles, where there are few channels.
    FOLDED_FLOATS = 4096,
    // The least members·channels of a slice, and of a slice for many threads. Each slice packs and maps its own inputs,
    // and narrow products are slow.
    LEAST_SLICE_COLUMNS = 64,
    LEAST_NARROW_COLUMNS = 32,
    STAGE_BYTES = 96 << 20, // of the frequencies that go through the stages at once, in the cache that threads share
};

static int64_t gradient_start(int64_t pad, int64_t stride) {
    const int64_t taps = stride == 1 ? 3 : 2; // that meet an even padded row
    return (pad - tile_shift(pad, stride)) / stride - (taps - 1);
}

static int64_t image_tiles(const tile_grid *grid) { return grid->image_segments / grid->row_segments * grid->columns; }

// How many groups of images have a part of the weights' gradients each. With more than a few groups, threads need not
// meet in stages.
static int64_t groups_of(int64_t part_bytes, int64_t tiles) {
    const int64_t room = PART_BYTES / part_bytes;
    int64_t groups = max_of(min_of(room, GROUPS), 1);
    while (2 * groups <= min_of(room, MOST_GROUPS) && tiles >= 2 * groups * LEAST_GROUP_TILES) groups *= 2;
    return groups;
}

static backward_plan plan_for_batch(const ck_convolution *c, int64_t batch, bool narrow) {
    const int64_t stride = c->stride_h, members = c->activation.member_count;
    const winograd_tiles *shape = ck_winograd_shape(c, CK_BACKWARD);
    backward_plan plan = {.depth = convolution_depth(c)};
    const int64_t shift_y = tile_shift(c->pad_top, stride), shift_x = tile_shift(c->pad_left, stride);
    plan.grid = ck_tile_grid(divide_up(c->height + shift_y, shape->tile), divide_up(c->width + shift_x, shape->tile));
    plan.gradient_window = (tile_window){
        shape->gradient_patch, shape->output_tile, gradient_start(c->pad_top, stride),
        gradient_start(c->pad_left, stride)};
    plan.block_window = (tile_window){shape->tile, shape->tile, -shift_y, -shift_x};

    plan.padded_columns = gemm_padded_columns(c->out_channels);
    const int64_t part_bytes = weight_frequencies(shape) * plan.depth * plan.padded_columns * 4;
    plan.groups = c->single_threaded ? 1 : min_of(batch, groups_of(part_bytes, batch * image_tiles(&plan.grid)));
    const int64_t wanted = divide_up(c->channels, divide_up(SLICED_GROUPS, plan.groups));
    const int64_t width =
        narrow ? divide_up(LEAST_NARROW_COLUMNS, members) : max_of(wanted, divide_up(LEAST_SLICE_COLUMNS, members));
    const int64_t slices = max_of(c->channels / width, 1);
    plan.slice_channels = min_of(c->channels, round_up(divide_up(c->channels, slices), 16));
    plan.slices = divide_up(c->channels, plan.slice_channels);
    plan.part_matrix = spread_matrix(plan.depth * plan.padded_columns);
    plan.part_floats = weight_frequencies(shape) * plan.part_matrix;

    const int64_t segment = plan.grid.segment_columns, slice_depth = members * plan.slice_channels;
    const int64_t group_segments = divide_up(batch, plan.groups) * plan.grid.image_segments;
    // Of equal size: a few tiles that are left over would take a pass of their own.
    const int64_t chunks = max_of((group_segments * segment + CHUNK_TILES / 2) / CHUNK_TILES, 1);
    plan.chunk_segments = divide_up(group_segments, chunks);
    plan.group_chunks = divide_up(group_segments, plan.chunk_segments);
    plan.packed_channels = ck_winograd_slice(&plan.block_window, segment, plan.slice_channels, members);
    plan.gradient_channels = ck_winograd_slice(&plan.gradient_window, segment, c->out_channels, 1);
    plan.plane_floats = round_up(
        max_of(
            ck_winograd_plane_floats(&plan.block_window, segment, members * plan.packed_channels),
            ck_winograd_plane_floats(&plan.gradient_window, segment, plan.gradient_channels)),
        16);
    const int64_t tile_floats = shape->tile * shape->tile * slice_depth;
    plan.folded_tiles = min_of(max_of(FOLDED_FLOATS / tile_floats, 1), segment);
    plan.pixel_floats = round_up(plan.folded_tiles * tile_floats, 16);
    const int64_t frequencies = input_frequencies(shape);
    plan.gradients = ck_frequency_matrices(frequencies, plan.chunk_segments * segment, c->out_channels);
    plan.slice = ck_frequency_matrices(frequencies, plan.chunk_segments * segment, slice_depth);
    // Fewer images may have larger chunks.
    const int64_t most_rows = min_of(divide_up(MOST_CHUNK_TILES, segment), group_segments) * segment;
    const frequency_matrices most_gradients = ck_frequency_matrices(frequencies, most_rows, c->out_channels);
    const frequency_matrices most_slice = ck_frequency_matrices(frequencies, most_rows, slice_depth);
    plan.most_gradients = frequency_floats(&most_gradients);
    plan.most_slice = frequency_floats(&most_slice);
    const int64_t stage_bytes = plan.groups * chunk_frequencies(&plan) * 4;
    plan.stage_chunks = min_of(max_of(STAGE_BYTES / stage_bytes, 1), chunks);
    plan.slopes = ck_slope_parts(&c->activation, c->height * c->width, c->channels, plan.groups, 1);
    plan.slice_weights = weight_frequencies(shape) * spread_matrix(c->out_channels * gemm_padded_columns(slice_depth));
    plan.transposed_floats = 9 * TRANSPOSED_COLUMNS * CK_MAX_TILE_VECTORS * CK_MAX_VECTOR_FLOATS;
    return plan;
}

static backward_memory memory_of(const backward_plan *plan, void *scratch) {
    const int64_t tasks = plan->slices * plan->groups, chunks = plan->groups * plan->stage_chunks;
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.weight_frequencies = take_floats(&parts, plan->slices * plan->slice_weights);
    memory.parts = take_floats(&parts, plan->groups * plan->part_floats);
    memory.bias_parts = take_floats(&parts, plan->groups * plan->padded_columns);
    memory.slope_gradients = take_floats(&parts, plan->slopes.count * plan->slopes.stride);
    const size_t shared = parts.size;
    memory.plane = take_floats(&parts, plan->plane_floats);
    memory.pixels = take_floats(&parts, plan->pixel_floats);
    memory.transposed = take_floats(&parts, plan->transposed_floats);
    memory.worker_floats = take_for_workers(&parts, shared, ck_most_workers());
    memory.frequencies = take_floats(
        &parts, max_of(ck_worker_limit(tasks) * worker_frequencies(plan), chunks * chunk_frequencies(plan)));
    memory.size = parts.size;
    return memory;
}

static size_t scratch_for_batch(const ck_convolution *convolution, int64_t batch) {
    const backward_plan plan = plan_for_batch(convolution, batch, false);
    const backward_plan narrow = plan_for_batch(convolution, batch, true);
    return larger_size(memory_of(&plan, NULL).size, memory_of(&narrow, NULL).size);
}

size_t ck_winograd_backward_scratch(const ck_convolution *convolution) {
    // A smaller batch may have fewer groups, and wider slices for as many workers.
    size_t size = largest_scratch(convolution, 2 * SLICED_GROUPS, scratch_for_batch);
    const backward_plan plan = plan_for_batch(convolution, convolution->batch, false);
    for (int64_t groups = 2 * GROUPS; groups <= plan.groups; groups *= 2) {
        // The largest batch that has too few tiles for so many groups.
        const int64_t batch = (groups * LEAST_GROUP_TILES - 1) / image_tiles(&plan.grid);
        if (batch > 0) size = larger_size(size, scratch_for_batch(convolution, batch));
    }
    return size;
}

static void run_task(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const backward_plan *plan = &call->plan;
    const int64_t group_tasks = divide_up(plan->slices, call->task_slices), group = task / group_tasks;
    const int64_t first_slice = task % group_tasks * call->task_slices;
    const int64_t end_slice = min_of(first_slice + call->task_slices, plan->slices);
    task_view view = {
        .call = call,
        .plane = call->memory.plane + worker * call->memory.worker_floats,
        .gradients = call->memory.frequencies + worker * worker_frequencies(plan),
        .frequencies = call->memory.frequencies + worker * worker_frequencies(plan) + plan->most_gradients,
        .pixels = call->memory.pixels + worker * call->memory.worker_floats,
    };
    const frequency_source gradients = gradient_source(call);
    const segment_range segments = group_segments(call, group);
    for (int64_t chunk = segments.first; chunk < segments.end; chunk += plan->chunk_segments) {
        const int64_t chunk_end = min_of(chunk + plan->chunk_segments, segments.end);
        const bool first_chunk = chunk == segments.first;
        if (first_slice == 0 && call->bias_parts != NULL) ck_winograd_add_bias(call, group, chunk, chunk_end);
        ck_segments_to_frequencies(
            &gradients, &plan->grid, chunk, chunk_end, call->dy, view.plane, view.gradients, &plan->gradients);
        for (int64_t slice = first_slice; slice < end_slice; slice++) {
            show_slice(&view, group, slice);
            view.slope_part = slope_part_of(&view, group, first_chunk);
            if (call->dz != NULL || view.slope_part != NULL) ck_winograd_backward_data(&view, chunk, chunk_end);
            if (call->dweights != NULL)
                ck_winograd_add_weights(
                    &view, ck_winograd_map_blocks(&view, chunk, chunk_end), first_chunk, ALL_FREQUENCIES);
        }
    }
}

// True if a task for each group and slice would leave threads idle.
static bool goes_in_stages(const backward_plan *plan, int threads) {
    return idle_share(plan->groups * plan->slices, threads) > MOST_IDLE;
}

void ck_winograd_backward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch) {
    const ck_convolution *c = convolution;
    const ck_kernels *kernels = ck_kernels_current();
    backward_call call = {
        .convolution = c,
        .kernels = kernels,
        .tiles = &kernels->winograd[ck_winograd_kind(c, CK_BACKWARD)],
        .columns = ck_gemm_panels(kernels, c->out_channels),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .dy = dy,
        .dz = dz,
        .dweights = dweights,
        .accumulate = accumulate,
    };
    call.plan = plan_for_batch(c, c->batch, false);
    const int threads = ck_threads_for(convolution_work(c));
    const bool in_stages = goes_in_stages(&call.plan, threads);
    // Wide slices are faster, if they are enough. The width of slices decides how many tiles are folded at once: an
    // order of the sums of slopes' gradients, and of no other sum.
    const bool has_slopes = dslopes != NULL && call.plan.slopes.count > 0;
    if (in_stages && !has_slopes && ck_winograd_slice_tasks(&call.plan) < 2 * threads)
        call.plan = plan_for_batch(c, c->batch, true);
    const backward_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    if (dbias != NULL) call.bias_parts = call.memory.bias_parts;
    if (has_slopes) call.slope_gradients = call.memory.slope_gradients;

    const double frequency_bytes =
        4.0 * (double)(9 + weight_frequencies(call.tiles)) * (double)plan->depth * (double)c->out_channels;
    const bool wants_data = dz != NULL || call.slope_gradients != NULL;
    if (wants_data)
        ck_parallel(
            plan->slices * divide_up(c->out_channels, TRANSPOSED_COLUMNS), frequency_bytes,
            ck_winograd_map_transposed_weights, &call);
    if (in_stages) {
        ck_winograd_backward_in_stages(&call);
    } else {
        call.task_slices = divide_up(plan->slices * plan->groups, max_of(plan->groups, 2 * threads));
        const int64_t tasks = plan->groups * divide_up(plan->slices, call.task_slices);
        ck_parallel(tasks, convolution_work(c), run_task, &call);
    }
    if (dweights != NULL)
        ck_parallel(plan->depth, (double)plan->groups * frequency_bytes, ck_winograd_gather_weights, &call);
    if (dbias != NULL) ck_sum_parts(call.bias_parts, plan->groups, plan->padded_columns, c->out_channels, dbias);
    if (call.slope_gradients != NULL) ck_sum_slope_parts(&plan->slopes, call.slope_gradients, dslopes);
}

void ck_winograd_backward_loops(const ck_convolution *c, ck_plan *loops) {
    const ck_kernels *kernels = ck_kernels_current();
    const backward_plan plan = plan_for_batch(c, c->batch, false);
    const int64_t group_segments = divide_up(c->batch, plan.groups) * plan.grid.image_segments;
    const int64_t segment = plan.grid.segment_columns, depth = c->activation.member_count * plan.slice_channels;
    add_split(loops, "groups of images", c->batch, plan.groups);
    add_loop(loops, "slices of channels", c->channels, plan.slice_channels);
    add_loop(loops, "chunks of a group", group_segments, plan.chunk_segments);
    add_loop(loops, "slabs of a chunk's tiles", plan.chunk_segments * segment, GEMM_SLAB_ROWS);
    add_loop(loops, "segments of a row of tiles", plan.grid.columns, segment);
    add_loop(loops, "folded tiles of a segment", segment, plan.folded_tiles);
    add_loop(loops, "channels of a plane", plan.slice_channels, plan.packed_channels);
    add_loop(loops, "gradients' channels of a plane", c->out_channels, plan.gradient_channels);
    add_loop(loops, "columns of mapped weights", c->out_channels, TRANSPOSED_COLUMNS);
    add_loop(loops, "slabs of a slice's members", depth, GEMM_SLAB_ROWS);
    add_loop(loops, "panels of members", depth, ck_gemm_panels(kernels, depth).width);
    add_loop(loops, "panels of outputs", c->out_channels, ck_gemm_panels(kernels, c->out_channels).width);
}
