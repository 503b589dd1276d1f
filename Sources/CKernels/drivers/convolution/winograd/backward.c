// Winograd backward. Tiles are of a's pixels; the frequencies of the patch of dy that a tile meets serve both products:
//   data     gradients [tile][N] · weights [N][K], a matrix for each frequency → the members' gradients, folded into dz
//   weights  blockᵀ [K][tile] · gradients [tile][N], summed over tiles → the frequencies of dw
// Sums are kept for each slice of z's channels, with all their members, and each group of images; the groups' are added
// in order at the end. A task takes a group and, with few threads, several slices, which share the frequencies of dy.
// It goes chunk by chunk; what a chunk needs is private to the worker.

#include "drivers/shared/slopes.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "drivers/convolution/winograd/winograd.h"
#include "include/ck_runtime.h"
#include "runtime/threads.h"

enum {
    MOST_GROUPS = 4,
    SLICED_GROUPS = 8, // groups × slices: so many threads are kept busy
    CHUNK_TILES = 64,  // tiles, about, that share a pass over the weights and one over their gradients
    MOST_CHUNK_TILES = 96,
    PART_BYTES = 24 << 20, // of all groups' weights' gradients, which are read once more than needed
    FOLDED_FLOATS =
        4096, // members' gradients that are folded at once, in L1: of several tiles, where there are few channels
    LEAST_SLICE_COLUMNS =
        64, // members·channels of a slice: each packs and maps what it needs, and narrow products are slow
    TRANSPOSED_COLUMNS = 32, // of a task that maps weights: a slice of few channels still is several
};

typedef struct backward_plan {
    int64_t depth; // K
    tile_grid grid;
    tile_window gradient_window, block_window;
    int64_t slice_channels, slices, groups;
    int64_t chunk_segments;
    int64_t plane_floats, packed_channels; // z's channels in a plane
    int64_t gradient_channels;             // dy's channels in a plane
    int64_t folded_tiles, pixel_floats;
    int64_t padded_columns, part_matrix,
        part_floats; // of one group's weights' gradients: their row, one frequency, all
    int64_t transposed_floats, slice_weights;
    frequency_matrices gradients, slice;
    int64_t most_gradients, most_slice; // floats of these matrices, at most
    slope_parts slopes;
} backward_plan;

static int64_t gradient_start(int64_t pad, int64_t stride) {
    const int64_t taps = stride == 1 ? 3 : 2; // that meet an even padded row
    return (pad - tile_shift(pad, stride)) / stride - (taps - 1);
}

static backward_plan plan_for_batch(const ck_convolution *c, int64_t batch) {
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
    plan.groups = c->single_threaded ? 1 : min_of(batch, max_of(min_of(PART_BYTES / part_bytes, MOST_GROUPS), 1));
    const int64_t wanted = divide_up(c->channels, divide_up(SLICED_GROUPS, plan.groups));
    const int64_t slices = max_of(c->channels / max_of(wanted, divide_up(LEAST_SLICE_COLUMNS, members)), 1);
    plan.slice_channels = min_of(c->channels, round_up(divide_up(c->channels, slices), 16));
    plan.slices = divide_up(c->channels, plan.slice_channels);
    plan.part_matrix = spread_matrix(plan.depth * plan.padded_columns);
    plan.part_floats = weight_frequencies(shape) * plan.part_matrix;

    const int64_t segment = plan.grid.segment_columns, slice_depth = members * plan.slice_channels;
    const int64_t group_segments = divide_up(batch, plan.groups) * plan.grid.image_segments;
    // Of equal size: a few tiles that are left over would take a pass of their own.
    const int64_t chunks = max_of((group_segments * segment + CHUNK_TILES / 2) / CHUNK_TILES, 1);
    plan.chunk_segments = divide_up(group_segments, chunks);
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
    plan.slopes = ck_slope_parts(&c->activation, c->height * c->width, c->channels, plan.groups, 1);
    plan.slice_weights = weight_frequencies(shape) * spread_matrix(c->out_channels * gemm_padded_columns(slice_depth));
    plan.transposed_floats = 9 * TRANSPOSED_COLUMNS * CK_MAX_TILE_VECTORS * CK_MAX_VECTOR_FLOATS;
    return plan;
}

typedef struct backward_memory {
    float *weight_frequencies, *transposed, *planes, *gradient_frequencies, *slice_frequencies, *pixels, *parts;
    float *bias_parts, *slope_gradients;
    size_t size;
} backward_memory;

static backward_memory memory_of(const backward_plan *plan, void *scratch) {
    const int64_t workers = ck_worker_limit(plan->slices * plan->groups);
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.weight_frequencies = take_floats(&parts, plan->slices * plan->slice_weights);
    memory.transposed = take_floats(&parts, CK_MAX_WORKERS * plan->transposed_floats);
    memory.planes = take_floats(&parts, workers * plan->plane_floats);
    memory.gradient_frequencies = take_floats(&parts, workers * plan->most_gradients);
    memory.slice_frequencies = take_floats(&parts, workers * plan->most_slice);
    memory.pixels = take_floats(&parts, workers * plan->pixel_floats);
    memory.parts = take_floats(&parts, plan->groups * plan->part_floats);
    memory.bias_parts = take_floats(&parts, plan->groups * plan->padded_columns);
    memory.slope_gradients = take_floats(&parts, plan->slopes.count * plan->slopes.stride);
    memory.size = parts.size;
    return memory;
}

static size_t scratch_for_batch(const ck_convolution *convolution, int64_t batch) {
    const backward_plan plan = plan_for_batch(convolution, batch);
    return memory_of(&plan, NULL).size;
}

size_t ck_winograd_backward_scratch(const ck_convolution *convolution) {
    // A smaller batch may have fewer groups, and wider slices for as many workers.
    size_t size = scratch_for_batch(convolution, convolution->batch);
    for (int64_t batch = 1; batch < min_of(convolution->batch, 2 * SLICED_GROUPS); batch++) {
        const size_t smaller = scratch_for_batch(convolution, batch);
        if (smaller > size) size = smaller;
    }
    return size;
}

typedef struct backward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    const winograd_tiles *tiles;
    backward_plan plan;
    int64_t task_slices; // slices of one task; which they are changes no result
    gemm_panels columns; // of dw: N
    const float *z, *slopes, *weights, *dy;
    backward_memory memory;
    float *bias_parts, *slope_gradients; // NULL if not wanted
    float *dz, *dweights;
    bool accumulate;
} backward_call;

static int64_t slice_channels(const backward_call *call, int64_t slice) {
    return min_of(call->plan.slice_channels, call->convolution->channels - slice * call->plan.slice_channels);
}

// Columns [N] of one panel of one slice: the kernel's taps, in reverse order, from [K][N] to [N][width] and to
// frequencies.
static void map_weights(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const int64_t slice = task % call->plan.slices, start = task / call->plan.slices * TRANSPOSED_COLUMNS;
    const int64_t channels = slice_channels(call, slice), rows = min_of(TRANSPOSED_COLUMNS, c->out_channels - start);
    const gemm_panels panels = ck_gemm_panels(call->kernels, c->activation.member_count * channels);
    float *transposed = call->memory.transposed + worker * call->plan.transposed_floats;
    const int64_t tap_floats = TRANSPOSED_COLUMNS * panels.width;
    for (int64_t panel = 0; panel < panels.count; panel++) {
        const int64_t width = gemm_panel_columns(&panels, panel);
        for (int64_t tap = 0; tap < 9; tap++)
            // A slice's channels of one member are neighbours in K; a panel may reach over several members.
            for (int64_t done = 0, count; done < width; done += count) {
                const int64_t at = panel * panels.width + done, member = at / channels, channel = at % channels;
                count = min_of(width - done, channels - channel);
                const int64_t k = member * c->channels + slice * call->plan.slice_channels + channel;
                call->kernels->gemm.transpose(
                    call->weights + (tap * call->plan.depth + k) * c->out_channels + start, c->out_channels, count,
                    rows, transposed + tap * tap_floats + done, panels.width);
            }
        float *target = call->memory.weight_frequencies + slice * call->plan.slice_weights
            + (panel * c->out_channels + start) * panels.width;
        for (int64_t row = 0; row < rows; row++)
            call->tiles->weights(
                transposed + 8 * tap_floats + row * panels.width, -tap_floats, width, target + row * panels.width,
                spread_matrix(panels.count * c->out_channels * panels.width));
    }
}

// What a worker is at, and its private memory.
typedef struct task_view {
    const backward_call *call;
    int64_t slice, channels, depth; // of the slice: first channel, channels, members·channels
    float *plane, *gradients, *pixels, *slope_part, *part;
    float *frequencies; // of the slice: of da, then of blocks of a
} task_view;

static int64_t frequency_weight(const winograd_tiles *tiles, int frequency) {
    return tiles->weights_of[frequency / tiles->frequencies] * tiles->weight_frequencies
        + tiles->weights_of[frequency % tiles->frequencies];
}

// The slice's channels of z.
static plane_source slice_source(const task_view *view) {
    const ck_convolution *c = view->call->convolution;
    return (plane_source){view->call->kernels, &c->activation, view->call->slopes, c->height, c->width,
                          c->channels,         view->slice,    view->channels};
}

// The members' gradients of neighbouring tiles into dz, as far as their pixels are inside the image.
static void fold_tiles(const task_view *view, int64_t tiles, int64_t image, int64_t y, int64_t x) {
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    const int64_t tile = call->tiles->tile, left = max_of(-x, 0), right = min_of(tiles * tile, c->width - x);
    const activation_block block =
        ck_activation_block(&c->activation, convolution_image(c), (activation_extent){right - left, view->channels});
    for (int64_t row = max_of(-y, 0); row < min_of(tile, c->height - y); row++) {
        const int64_t position = (y + row) * c->width + x + left;
        const int64_t at = (image * c->height * c->width + position) * c->channels + view->slice;
        const int64_t slope_at = position * block.slope_position + view->slice;
        call->kernels->activation.backward(
            &c->activation, &block, call->z + at, call->slopes == NULL ? NULL : call->slopes + slope_at,
            view->pixels + (row * tiles * tile + left) * view->depth, call->dz == NULL ? NULL : call->dz + at,
            call->accumulate, view->slope_part == NULL ? NULL : view->slope_part + slope_at);
    }
}

// dz of the segments first ..< end, whose gradients' frequencies are there.
static void data_of_chunk(const task_view *view, int64_t first, int64_t end) {
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const gemm_panels panels = ck_gemm_panels(call->kernels, view->depth);
    const int64_t panel_floats = c->out_channels * panels.width;
    const gemm_sum sum = {
        .runs = 1,
        .length = c->out_channels,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = panels.width,
        .a_distance = plan->gradients.row};
    gemm_product product = {
        .sum = sum, .panels = panels, .b_panel = panel_floats, .initial = ck_gemm_zeros, .c_stride = plan->slice.row};
    int64_t rows = 0;
    for (int64_t index = first; index < end; index++) rows += ck_tile_segment(&plan->grid, index).tiles;
    const float *weights = call->memory.weight_frequencies + view->slice / plan->slice_channels * plan->slice_weights;
    for (int frequency = 0; frequency < input_frequencies(call->tiles); frequency++) {
        product.b = weights + frequency_weight(call->tiles, frequency) * spread_matrix(panels.count * panel_floats);
        product.c = view->frequencies + frequency * plan->slice.matrix;
        const gemm_rows a = gemm_rows_apart(view->gradients + frequency * plan->gradients.matrix, plan->gradients.row);
        ck_gemm(call->kernels, &product, &a, rows);
    }
    const int64_t tile_size = call->tiles->tile;
    const plane_source source = slice_source(view);
    const float *data = view->frequencies;
    for (int64_t index = first; index < end; index++) {
        const tile_segment segment = ck_tile_segment(&plan->grid, index),
                           next = ck_tile_segment(&plan->grid, index + 1);
        for (int64_t tile = 0, count; tile < segment.tiles; tile += count) {
            count = min_of(plan->folded_tiles, segment.tiles - tile);
            const winograd_pixels pixels = {count * tile_size * view->depth, view->depth};
            for (int64_t i = 0; i < count; i++, data += plan->slice.row) {
                if (index + 1 < end) {
                    ck_fetch_tile(&source, &plan->block_window, &next, tile + i, call->z);
                    if (call->dz != NULL) ck_fetch_tile(&source, &plan->block_window, &next, tile + i, call->dz);
                }
                call->tiles->data(
                    data, plan->slice.matrix, view->depth, view->pixels + i * tile_size * view->depth, pixels);
            }
            fold_tiles(
                view, count, segment.image, segment.row * tile_size + plan->block_window.first_row,
                (segment.column + tile) * tile_size + plan->block_window.first_column);
        }
    }
}

// Adds a chunk's products to the frequencies of dw: `rows` tiles.
static void add_weights(const task_view *view, int64_t rows, bool first_chunk) {
    const backward_call *call = view->call;
    const backward_plan *plan = &call->plan;
    const gemm_sum sum = {
        .runs = 1,
        .length = rows,
        .a_runs = &no_offset,
        .a_step = plan->slice.row,
        .b_step = plan->gradients.row,
        .a_distance = 1};
    gemm_product product = {
        .sum = sum,
        .panels = call->columns,
        .b_panel = call->columns.width,
        .c_stride = plan->padded_columns,
        .panels_outside = true};
    for (int frequency = 0; frequency < input_frequencies(call->tiles); frequency++) {
        const int64_t weight = frequency_weight(call->tiles, frequency);
        // Several frequencies may share one of the weights: the first of each axis is its own.
        const int own = call->tiles->weight_frequencies;
        const bool first =
            first_chunk && frequency / call->tiles->frequencies < own && frequency % call->tiles->frequencies < own;
        product.b = view->gradients + frequency * plan->gradients.matrix;
        product.initial = first ? ck_gemm_zeros : NULL;
        product.c = view->part + weight * plan->part_matrix;
        const gemm_rows elements = gemm_rows_apart(view->frequencies + frequency * plan->slice.matrix, 1);
        ck_gemm(call->kernels, &product, &elements, view->depth);
    }
}

// What a slice adds to a chunk: the segments chunk ..< chunk_end, whose gradients' frequencies are there.
static void run_slice(const task_view *view, int64_t chunk, int64_t chunk_end, bool first_chunk) {
    const backward_call *call = view->call;
    const backward_plan *plan = &call->plan;
    if (call->dz != NULL || view->slope_part != NULL) data_of_chunk(view, chunk, chunk_end);
    if (call->dweights == NULL) return;
    const frequency_source blocks = {slice_source(view), plan->block_window, plan->packed_channels, call->tiles->block};
    const int64_t rows = ck_segments_to_frequencies(
        &blocks, &plan->grid, chunk, chunk_end, call->z, view->plane, view->frequencies, &plan->slice);
    add_weights(view, rows, first_chunk);
}

// Adds an image's part of a group's sum of dy.
static void add_bias(const backward_call *call, int64_t group, int64_t image, bool first) {
    const ck_convolution *c = call->convolution;
    const int64_t pixels = c->out_height * c->out_width;
    call->kernels->gemm.sum_rows(
        call->dy + image * pixels * c->out_channels, pixels, c->out_channels, first,
        call->bias_parts + group * call->plan.padded_columns);
}

static void run_task(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t group_tasks = divide_up(plan->slices, call->task_slices), group = task / group_tasks;
    const int64_t first_slice = task % group_tasks * call->task_slices;
    const int64_t end_slice = min_of(first_slice + call->task_slices, plan->slices);
    const int64_t members = c->activation.member_count;
    const int64_t first_image = group * c->batch / plan->groups, end_image = (group + 1) * c->batch / plan->groups;
    task_view view = {
        .call = call,
        .plane = call->memory.planes + worker * plan->plane_floats,
        .gradients = call->memory.gradient_frequencies + worker * frequency_floats(&plan->gradients),
        .frequencies = call->memory.slice_frequencies + worker * frequency_floats(&plan->slice),
        .pixels = call->memory.pixels + worker * plan->pixel_floats,
    };
    const frequency_source gradients = {
        {call->kernels, &ck_no_activation, NULL, c->out_height, c->out_width, c->out_channels, 0, c->out_channels},
        plan->gradient_window,
        plan->gradient_channels,
        call->tiles->gradients};

    const int64_t start = first_image * plan->grid.image_segments, end = end_image * plan->grid.image_segments;
    for (int64_t chunk = start; chunk < end; chunk += plan->chunk_segments) {
        const int64_t chunk_end = min_of(chunk + plan->chunk_segments, end);
        if (first_slice == 0 && call->bias_parts != NULL)
            for (int64_t index = chunk; index < chunk_end; index++)
                if (index % plan->grid.image_segments == 0)
                    add_bias(call, group, index / plan->grid.image_segments, index == start);
        ck_segments_to_frequencies(
            &gradients, &plan->grid, chunk, chunk_end, call->dy, view.plane, view.gradients, &plan->gradients);
        for (int64_t slice = first_slice; slice < end_slice; slice++) {
            view.slice = slice * plan->slice_channels;
            view.channels = slice_channels(call, slice);
            view.depth = members * view.channels;
            // Rows of a slice follow one another in each frequency.
            view.part = call->memory.parts + group * plan->part_floats + view.slice * members * plan->padded_columns;
            if (call->slope_gradients != NULL) {
                const slope_range range = {0, c->height * c->width, view.slice, view.channels};
                view.slope_part = chunk == start
                    ? ck_slope_part_start(&plan->slopes, call->slope_gradients, group, 0, range)
                    : ck_slope_part(&plan->slopes, call->slope_gradients, group, 0);
            }
            run_slice(&view, chunk, chunk_end, chunk == start);
        }
    }
}

// dw of one channel of z, with all its members.
static void gather_channel(void *context, int64_t channel, int worker) {
    (void)worker;
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t slice = channel / plan->slice_channels, members = c->activation.member_count;
    const int64_t first = slice * plan->slice_channels, channels = slice_channels(call, slice);
    for (int64_t m = 0; m < members; m++) {
        const int64_t row = first * members + m * channels + (channel - first), k = m * c->channels + channel;
        const int64_t tap = plan->depth * c->out_channels;
        call->tiles->taps(
            call->memory.parts + row * plan->padded_columns, plan->part_matrix, plan->part_floats, plan->groups,
            c->out_channels, call->dweights + 8 * tap + k * c->out_channels, -tap);
    }
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
        .plan = plan_for_batch(c, c->batch),
        .columns = ck_gemm_panels(kernels, c->out_channels),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .dy = dy,
        .dz = dz,
        .dweights = dweights,
        .accumulate = accumulate,
    };
    const backward_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    if (dbias != NULL) call.bias_parts = call.memory.bias_parts;
    if (dslopes != NULL && plan->slopes.count > 0) call.slope_gradients = call.memory.slope_gradients;

    const double frequency_bytes =
        4.0 * (double)(9 + weight_frequencies(call.tiles)) * (double)plan->depth * (double)c->out_channels;
    const bool wants_data = dz != NULL || call.slope_gradients != NULL;
    if (wants_data)
        ck_parallel(
            plan->slices * divide_up(c->out_channels, TRANSPOSED_COLUMNS), CK_MAX_WORKERS, frequency_bytes, map_weights,
            &call);
    call.task_slices = divide_up(plan->slices * plan->groups, max_of(plan->groups, 2 * ck_threads()));
    const int64_t tasks = plan->groups * divide_up(plan->slices, call.task_slices);
    ck_parallel(tasks, ck_worker_limit(tasks), convolution_work(c), run_task, &call);
    if (dweights != NULL)
        ck_parallel(c->channels, CK_MAX_WORKERS, (double)plan->groups * frequency_bytes, gather_channel, &call);
    if (dbias != NULL) ck_sum_parts(call.bias_parts, plan->groups, plan->padded_columns, c->out_channels, dbias);
    if (call.slope_gradients != NULL) ck_sum_slope_parts(&plan->slopes, call.slope_gradients, dslopes);
}

void ck_winograd_backward_loops(const ck_convolution *c, ck_plan *loops) {
    const ck_kernels *kernels = ck_kernels_current();
    const backward_plan plan = plan_for_batch(c, c->batch);
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
