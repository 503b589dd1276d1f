// Backward pass of 1×1 convolutions. Both gradients are found in one sweep, so that z and dy are read from memory once.
// A task takes a range of output pixels, block by block:
//   members   packed [pixel][K] (z itself where z is its own activation)
//   dy        where y was normalised, formed from the gradient of the result
//   gradient  of the members, [pixel][K] = dy · weightsᵀ; folded into dz while it is in the cache
//   dweights  [K][N] += membersᵀ · dy: a part for each range, added in order at the end
// The ranges are few, because each has a part; there are more where the parts are small. On many threads a range is cut
// in one or both of two ways. Neither changes a sum:
//   slices    A task takes some of z's channels, with all members. Each slice reads dy.
//   apart     The two gradients are found in tasks of their own: that of z in stretches of the blocks, that of the
//             weights in strips of columns. Both read dy, each strip forms the members.

#include <string.h>

#include "drivers/convolution/pointwise/pointwise.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

enum {
    BLOCK_PIXELS = 2 * GEMM_SLAB_ROWS,
    FEW_RANGES = 16,
    MOST_RANGES = 64,       // if each has
    LONG_RANGE_BLOCKS = 8,  // at least so many blocks
    PARTS_BYTES = 2 << 20,  // and all parts have at most so many bytes
    LEAST_SLICE_DEPTH = 32, // narrow products are slow
    SLICE_CHANNELS = 16,    // a slice has a multiple of these
    MOST_APART_SLICES = 4,  // with the gradients apart: more slices give enough tasks
    MOST_STRETCHES = 8,     // powers of two, as the numbers
    MOST_STRIPS = 4,        // of stretches and strips
};

// How a range is cut into tasks. Without stretches and strips, a task finds both gradients.
typedef struct range_cut {
    int64_t slices, stretches, strips;
} range_cut;

static int64_t range_tasks(const range_cut *cut) { return cut->slices * max_of(cut->stretches + cut->strips, 1); }

typedef struct backward_plan {
    int64_t depth, columns; // K, and N padded
    int64_t blocks, ranges; // of pixels
    range_cut cut;          // of a range
    int64_t slice_channels, slice_depth;
    int64_t stride;       // from one packed pixel to the next
    bool direct;          // the members are z itself
    int64_t block_floats; // of a block's members, and of their gradients
    int64_t dy_floats, part_stride, part_floats;
} backward_plan;

static int64_t most_slices(const ck_convolution *c) {
    return max_of(min_of(convolution_depth(c) / LEAST_SLICE_DEPTH, divide_up(c->channels, SLICE_CHANNELS)), 1);
}

static int64_t channels_of_slice(const ck_convolution *c, int64_t slices) {
    return slices == 1 ? c->channels : round_up(divide_up(c->channels, slices), SLICE_CHANNELS);
}

static int64_t ranges_of(const ck_convolution *c, int64_t blocks) {
    if (c->single_threaded) return 1;
    const int64_t part_bytes = convolution_depth(c) * gemm_padded_columns(c->out_channels) * 4;
    const int64_t more = min_of(min_of(blocks / LONG_RANGE_BLOCKS, MOST_RANGES), PARTS_BYTES / part_bytes);
    return min_of(blocks, max_of(FEW_RANGES, more));
}

// The time of a call in which each range is cut in this way. A slice adds about a 16th of the whole work, for dy and
// for narrow products. Gradients that are found apart add as much, and each strip half of that.
static int64_t time_of(const range_cut *cut, int64_t blocks, int64_t ranges, int64_t threads) {
    enum { UNIT = 32, SCALE = 1024 };
    const bool apart = cut->strips > 0;
    const int64_t work = UNIT + 2 * (cut->slices - 1) + (apart ? 2 + cut->strips : 0);
    const int64_t shares = apart ? 2 * min_of(cut->stretches, cut->strips) : 1, tasks = ranges * range_tasks(cut);
    const int64_t longest = divide_up(blocks, ranges) * SCALE * work / (cut->slices * shares);
    const int64_t time = divide_up(tasks, threads) * longest;
    if (tasks <= threads) return time;
    // Tasks of unequal lengths even out if there are several for each thread.
    return min_of(time, blocks * SCALE * work / threads + longest / 2);
}

// The cut that ends the call first.
static range_cut best_cut(const ck_convolution *c, int64_t blocks, int64_t ranges) {
    range_cut best = {.slices = 1};
    const int64_t threads = ck_threads();
    if (threads == 1 || (threads <= FEW_THREADS && ranges >= TASKS_PER_THREAD * threads)) return best;
    const int64_t most_strips = min_of(MOST_STRIPS, ck_gemm_panels(ck_kernels_current(), c->out_channels).count);
    const int64_t most_stretches = min_of(MOST_STRETCHES, blocks / ranges);
    int64_t least = INT64_MAX;
    for (int64_t slices = 1; slices <= most_slices(c); slices++) {
        if (divide_up(c->channels, channels_of_slice(c, slices)) != slices) continue;
        range_cut cut = {.slices = slices};
        int64_t time = time_of(&cut, blocks, ranges, threads);
        if (time < least) best = cut, least = time;
        if (slices > MOST_APART_SLICES) continue;
        for (cut.strips = 1; cut.strips <= most_strips; cut.strips *= 2)
            for (cut.stretches = 1; cut.stretches <= most_stretches; cut.stretches *= 2) {
                time = time_of(&cut, blocks, ranges, threads);
                if (time < least) best = cut, least = time;
            }
    }
    return best;
}

static backward_plan plan_for_cut(const ck_convolution *c, const range_cut *cut) {
    backward_plan plan = {.depth = convolution_depth(c), .direct = ck_activation_reads_plain(&c->activation)};
    plan.columns = gemm_padded_columns(c->out_channels);
    plan.blocks = divide_up(pointwise_pixels(c), BLOCK_PIXELS);
    plan.ranges = ranges_of(c, plan.blocks);
    plan.cut = cut != NULL ? *cut : best_cut(c, plan.blocks, plan.ranges);
    plan.slice_channels = channels_of_slice(c, plan.cut.slices);
    plan.cut.slices = divide_up(c->channels, plan.slice_channels);
    plan.slice_depth = c->activation.member_count * plan.slice_channels;
    plan.stride = spread_stride(plan.slice_depth);
    plan.block_floats = BLOCK_PIXELS * plan.stride;
    plan.dy_floats = round_up(BLOCK_PIXELS * c->out_channels, 16);
    // A single range's part is the weights' gradient itself.
    plan.part_stride = plan.ranges == 1 ? c->out_channels : plan.columns;
    plan.part_floats = plan.ranges == 1 ? 0 : plan.depth * plan.columns;
    return plan;
}

static backward_plan plan_of(const ck_convolution *c) { return plan_for_cut(c, NULL); }

// A worker's parts lie side by side, so that few workers touch few pages.
typedef struct backward_memory {
    float *parts, *bias_parts, *weights;
    float *members, *gradients, *dy; // of worker 0
    int64_t worker_floats;           // from one worker's parts to the next worker's
    size_t size;
} backward_memory;

static int64_t slice_weights(const ck_convolution *c, const backward_plan *plan) {
    return c->out_channels * gemm_padded_columns(plan->slice_depth);
}

static backward_memory memory_of(const ck_convolution *c, const backward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.parts = take_floats(&parts, plan->ranges * plan->part_floats);
    memory.bias_parts = take_floats(&parts, plan->ranges * plan->columns);
    memory.weights = take_floats(&parts, plan->cut.slices * slice_weights(c, plan));
    const size_t shared = parts.size;
    memory.members = take_floats(&parts, plan->block_floats);
    memory.gradients = take_floats(&parts, plan->block_floats);
    memory.dy = take_floats(&parts, plan->dy_floats);
    const int64_t most_tasks = MOST_RANGES * plan->cut.slices * (MOST_STRETCHES + MOST_STRIPS);
    memory.worker_floats = take_for_workers(&parts, shared, ck_worker_limit(most_tasks));
    memory.size = parts.size;
    return memory;
}

size_t ck_pointwise_backward_scratch(const ck_convolution *convolution) {
    size_t largest = 0;
    // The number of slices follows the number of threads.
    for (int64_t slices = 1; slices <= most_slices(convolution); slices++) {
        const range_cut cut = {.slices = slices};
        const backward_plan plan = plan_for_cut(convolution, &cut);
        largest = larger_size(largest, memory_of(convolution, &plan, NULL).size);
    }
    return largest;
}

typedef struct backward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    backward_plan plan;
    gemm_panels weight_panels; // of N
    const float *z, *weights, *dy, *dactivation;
    const ck_normalization_gradient *normalization; // or NULL
    backward_memory memory;
    float *dz, *dweights;
    float *parts;      // of the weights' gradient, or that itself
    float *bias_parts; // NULL if not wanted
    bool accumulate;
} backward_call;

// A slice of the channels. In K the slice is `segments` ranges of `length`, K's `channels` apart.
typedef struct channel_slice {
    int64_t channel, channels, depth;
    int64_t segments, length;
    gemm_panels panels; // of the slice's part of K
    float *weights;     // packed
} channel_slice;

// The work of a task: both gradients of a slice of a range, or a piece of one gradient.
typedef struct range_piece {
    int64_t range;
    channel_slice slice;
    int64_t first, end;            // pixels
    bool finds_dz, finds_dweights; // of the slice
    int64_t first_panel;           // of the weights' gradient
    gemm_panels panels;
    bool finds_dbias;
} range_piece;

static channel_slice slice_at(const backward_call *call, int64_t index) {
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    channel_slice slice = {.channel = index * plan->slice_channels};
    slice.channels = min_of(plan->slice_channels, c->channels - slice.channel);
    slice.depth = c->activation.member_count * slice.channels;
    slice.segments = slice.channels == c->channels ? 1 : c->activation.member_count;
    slice.length = slice.depth / slice.segments;
    slice.panels = ck_gemm_panels(call->kernels, slice.depth);
    slice.weights = call->memory.weights + index * slice_weights(c, plan);
    return slice;
}

// One panel of a slice: [K][N] becomes [N][width].
static void pack_weights(void *context, int64_t task, int worker) {
    (void)worker;
    const backward_call *call = context;
    const backward_plan *plan = &call->plan;
    const int64_t out_channels = call->convolution->out_channels;
    const int64_t most_panels = ck_gemm_panels(call->kernels, plan->slice_depth).count;
    const channel_slice slice = slice_at(call, task / most_panels);
    const int64_t panel = task % most_panels, width = slice.panels.width;
    if (panel >= slice.panels.count) return;
    float *const packed = slice.weights + panel * out_channels * width;
    const int64_t end = panel * width + gemm_panel_columns(&slice.panels, panel);
    ck_count_floats(2 * gemm_panel_columns(&slice.panels, panel) * out_channels);
    int64_t count;
    for (int64_t first = panel * width; first < end; first += count) {
        const int64_t segment = first / slice.length, offset = first % slice.length;
        count = min_of(end - first, slice.length - offset);
        const int64_t row = segment * call->convolution->channels + slice.channel + offset;
        call->kernels->gemm.transpose(
            call->weights + row * out_channels, out_channels, count, out_channels, packed + (first - panel * width),
            width);
    }
}

// The gradients of pixels of z that no output pixel reads, in a run's share of the image.
static void clear_share(const backward_call *call, const channel_slice *slice, const pixel_run *run) {
    const ck_convolution *c = call->convolution;
    const int64_t end_y = run->y + 1 == c->out_height ? c->height : (run->y + 1) * c->stride_h;
    const int64_t end_x = run->x + run->count == c->out_width ? c->width : (run->x + run->count) * c->stride_w;
    const int64_t first_x = run->x * c->stride_w;
    const bool whole = slice->channels == c->channels;
    const int64_t stretches = whole ? 1 : end_x - first_x;
    const size_t bytes = (size_t)((whole ? end_x - first_x : 1) * slice->channels) * sizeof(float);
    for (int64_t y = run->y * c->stride_h; y < end_y; y++) {
        float *const row =
            call->dz + ((run->image * c->height + y) * c->width + first_x) * c->channels + slice->channel;
        for (int64_t i = 0; i < stretches; i++) memset(row + i * c->channels, 0, bytes);
    }
}

// The gradients of some pixels' members.
static void find_gradients(
    const backward_call *call, const channel_slice *slice, const float *dy, int64_t first, int64_t count,
    gemm_ahead *ahead, float *gradients) {
    const backward_plan *plan = &call->plan;
    const int64_t out_channels = call->convolution->out_channels;
    const gemm_sum sum = {
        .runs = 1,
        .length = out_channels,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = slice->panels.width,
        .a_distance = out_channels};
    if (call->dactivation != NULL)
        for (int64_t segment = 0; segment < slice->segments; segment++)
            call->kernels->elementwise.copy_rows(
                count, slice->length,
                call->dactivation + first * plan->depth + segment * call->convolution->channels + slice->channel,
                plan->depth, gradients + segment * slice->length, plan->stride, false);
    const gemm_product product = {
        .sum = sum,
        .panels = slice->panels,
        .b = slice->weights,
        .b_panel = out_channels * slice->panels.width,
        .initial = call->dactivation != NULL ? NULL : ck_gemm_zeros,
        .c = gradients,
        .c_stride = plan->stride,
        .ahead = ahead,
    };
    const gemm_rows rows = gemm_rows_apart(dy, out_channels);
    ck_gemm(call->kernels, &product, &rows, count);
}

// The gradient of y for some pixels.
static const float *undo_normalization(const backward_call *call, int64_t first, int64_t count, float *gradient) {
    const ck_normalization_gradient *norm = call->normalization;
    const int64_t columns = call->convolution->out_channels, at = first * columns;
    call->kernels->normalization.gradient(
        count, columns, norm->x + at, call->dy + at, norm->center, norm->scale, norm->slope, norm->shift, gradient,
        false);
    return gradient;
}

// Adds a block's products to a piece's columns, the rows of A `a_step` apart.
static void add_weights(
    const backward_call *call, const range_piece *piece, const float *members, int64_t a_step, const float *dy,
    int64_t count, bool first, gemm_ahead *ahead) {
    const channel_slice *slice = &piece->slice;
    const int64_t first_column = piece->first_panel * piece->panels.width;
    float *const part = call->parts + piece->range * call->plan.part_floats + first_column;
    const gemm_sum sum = {
        .runs = 1,
        .length = count,
        .a_runs = &no_offset,
        .a_step = a_step,
        .b_step = call->convolution->out_channels,
        .a_distance = 1};
    gemm_product product = {
        .sum = sum,
        .panels = piece->panels,
        .b = dy + first_column,
        .b_panel = piece->panels.width,
        .initial = first ? ck_gemm_zeros : NULL,
        .c_stride = call->plan.part_stride,
        .panels_outside = true,
        .ahead = ahead,
    };
    for (int64_t segment = 0; segment < slice->segments; segment++) {
        const gemm_rows elements = gemm_rows_apart(members + segment * slice->length, 1);
        product.c = part + (segment * call->convolution->channels + slice->channel) * product.c_stride;
        ck_gemm(call->kernels, &product, &elements, slice->length);
    }
}

// The memory that the block of `count` pixels from `first` on will touch. A slice of the channels has short stretches
// of z, which are not fetched.
static gemm_ahead look_ahead(const backward_call *call, const range_piece *piece, int64_t first, int64_t count) {
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t depth = plan->depth;
    gemm_ahead ahead = {0};
    if (count <= 0) return ahead;
    gemm_ahead_add(&ahead, 0, call->dy + first * c->out_channels, count * c->out_channels);
    if (plan->cut.slices == 1) {
        const pixel_run run = pixel_run_at(c, first, count);
        const int64_t at = run.position * c->channels, floats = pixel_run_floats(c, &run);
        gemm_ahead_add(&ahead, 1, call->z + at, floats);
        if (piece->finds_dz) gemm_ahead_add(&ahead, 2, call->dz + at, floats);
        if (piece->finds_dz && call->dactivation != NULL)
            gemm_ahead_add(&ahead, 3, call->dactivation + first * depth, count * depth);
    }
    gemm_ahead_spread(
        &ahead,
        (piece->finds_dz ? ck_gemm_tile_count(call->kernels, BLOCK_PIXELS, plan->slice_depth) : 0)
            + (piece->finds_dweights ? ck_gemm_tile_count(call->kernels, plan->slice_depth, piece->panels.columns)
                                     : 0));
    return ahead;
}

// The strips of all ranges come first: they are the longest tasks where there are more stretches than strips.
static range_piece piece_at(const backward_call *call, int64_t task) {
    const backward_plan *plan = &call->plan;
    const range_cut *cut = &plan->cut;
    const int64_t slice_tasks = plan->ranges * cut->slices, part = task / slice_tasks;
    range_piece piece = {
        .range = task % slice_tasks / cut->slices,
        .slice = slice_at(call, task % cut->slices),
        .panels = call->weight_panels,
        .finds_dz = call->dz != NULL && part >= cut->strips,
        .finds_dweights = cut->strips == 0 || part < cut->strips,
    };
    int64_t first = piece.range * plan->blocks / plan->ranges, end = (piece.range + 1) * plan->blocks / plan->ranges;
    if (cut->strips > 0 && piece.finds_dweights) {
        const int64_t panels = call->weight_panels.count;
        piece.first_panel = part * panels / cut->strips;
        piece.panels = gemm_panel_range(
            &call->weight_panels, piece.first_panel, (part + 1) * panels / cut->strips - piece.first_panel);
    } else if (cut->strips > 0) {
        const int64_t stretch = part - cut->strips, blocks = end - first;
        end = first + (stretch + 1) * blocks / cut->stretches;
        first += stretch * blocks / cut->stretches;
    }
    piece.first = first * BLOCK_PIXELS;
    piece.end = min_of(end * BLOCK_PIXELS, pointwise_pixels(call->convolution));
    piece.finds_dbias =
        call->bias_parts != NULL && piece.finds_dweights && piece.first_panel == 0 && piece.slice.channel == 0;
    return piece;
}

static void sweep_pixels(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const range_piece piece = piece_at(call, task);
    if (!piece.finds_dz && !piece.finds_dweights) return;
    const channel_slice *slice = &piece.slice;
    const int64_t worker_at = worker * call->memory.worker_floats;
    float *const packed = call->memory.members + worker_at;
    float *const gradients = call->memory.gradients + worker_at;
    const bool gapless = pixel_runs_are_whole(c);
    const bool read_in_place = plan->direct && gapless;
    const bool clear = piece.finds_dz && !call->accumulate && !gapless;
    for (int64_t first = piece.first; first < piece.end; first += BLOCK_PIXELS) {
        const int64_t count = min_of(BLOCK_PIXELS, piece.end - first);
        const float *dy = call->dy + first * c->out_channels;
        if (call->normalization != NULL) dy = undo_normalization(call, first, count, call->memory.dy + worker_at);
        gemm_ahead ahead = look_ahead(call, &piece, first + count, min_of(BLOCK_PIXELS, piece.end - first - count));
        if (piece.finds_dz) find_gradients(call, slice, dy, first, count, &ahead, gradients);
        for (int64_t done = 0; done < count;) {
            const pixel_run run = pixel_run_at(c, first + done, count - done);
            const activation_block block = pixel_run_block(c, &run, slice->channels, plan->stride);
            const int64_t at = run.position * c->channels + slice->channel;
            if (piece.finds_dweights && !read_in_place)
                call->kernels->activation.forward(
                    &c->activation, &block, call->z + at, NULL, packed + done * plan->stride);
            if (clear) clear_share(call, slice, &run);
            if (piece.finds_dz)
                call->kernels->activation.backward(
                    &c->activation, &block, call->z + at, NULL, gradients + done * plan->stride, call->dz + at,
                    call->accumulate, NULL);
            done += run.count;
        }
        if (piece.finds_dweights)
            add_weights(
                call, &piece, read_in_place ? call->z + first * c->channels + slice->channel : packed,
                read_in_place ? c->channels : plan->stride, dy, count, first == piece.first, &ahead);
        if (piece.finds_dbias)
            call->kernels->gemm.sum_rows(
                dy, count, c->out_channels, first == piece.first, call->bias_parts + piece.range * plan->columns);
    }
}

// Adds the parts of some rows of the weights' gradient.
static void gather_row(void *context, int64_t row, int worker) {
    (void)worker;
    const backward_call *call = context;
    const backward_plan *plan = &call->plan;
    const int64_t out_channels = call->convolution->out_channels;
    add_parts(
        call->kernels, call->parts + row * plan->part_stride, plan->ranges, plan->part_floats, out_channels,
        call->dweights + row * out_channels);
}

void ck_pointwise_backward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *dy,
    const ck_normalization_gradient *normalization, const float *dactivation, float *dz, bool accumulate,
    float *dweights, float *dbias, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    backward_call call = {
        .convolution = convolution,
        .kernels = kernels,
        .plan = plan_of(convolution),
        .weight_panels = ck_gemm_panels(kernels, convolution->out_channels),
        .z = z,
        .weights = weights,
        .dy = dy,
        .normalization = normalization,
        .dactivation = dactivation,
        .dz = dz,
        .dweights = dweights,
        .accumulate = accumulate,
    };
    const backward_plan *plan = &call.plan;
    call.memory = memory_of(convolution, plan, scratch);
    call.parts = plan->ranges == 1 ? dweights : call.memory.parts;
    if (dbias != NULL) call.bias_parts = call.memory.bias_parts;
    if (dz != NULL) {
        const double bytes = 8.0 * (double)plan->depth * (double)convolution->out_channels;
        const int64_t panels = ck_gemm_panels(kernels, plan->slice_depth).count;
        ck_parallel(plan->cut.slices * panels, bytes, pack_weights, &call);
    }
    ck_parallel(plan->ranges * range_tasks(&plan->cut), 2 * convolution_work(convolution), sweep_pixels, &call);
    if (plan->ranges > 1) {
        const double parts_work =
            4.0 * (double)(plan->ranges + 1) * (double)plan->depth * (double)convolution->out_channels;
        ck_parallel(plan->depth, joining_work(parts_work), gather_row, &call);
    }
    if (dbias != NULL) ck_sum_parts(call.bias_parts, plan->ranges, plan->columns, convolution->out_channels, dbias);
}

void ck_pointwise_backward_loops(const ck_convolution *c, ck_plan *loops) {
    const ck_kernels *kernels = ck_kernels_current();
    const backward_plan plan = plan_of(c);
    const int64_t pixels = pointwise_pixels(c);
    const int64_t last_range = (plan.ranges - 1) * plan.blocks / plan.ranges * BLOCK_PIXELS;
    add_split(loops, plan.ranges > FEW_RANGES ? "many ranges" : "ranges", plan.blocks, plan.ranges);
    add_loop(loops, "blocks of the last range", pixels - last_range, BLOCK_PIXELS);
    add_loop(loops, "slabs of the last block", (pixels - 1) % BLOCK_PIXELS + 1, GEMM_SLAB_ROWS);
    if (!pixel_runs_are_whole(c) && pixels > BLOCK_PIXELS)
        add_loop(loops, "runs of a block", BLOCK_PIXELS, c->out_width);
    if (plan.cut.slices > 1) add_loop(loops, "slices of channels", c->channels, plan.slice_channels);
    if (plan.cut.stretches > 1) add_split(loops, "stretches of blocks", plan.blocks / plan.ranges, plan.cut.stretches);
    if (plan.cut.strips > 1)
        add_split(loops, "strips of outputs", ck_gemm_panels(kernels, c->out_channels).count, plan.cut.strips);
    add_loop(loops, "slabs of members", plan.slice_depth, GEMM_SLAB_ROWS);
    add_loop(loops, "panels of members", plan.slice_depth, ck_gemm_panels(kernels, plan.slice_depth).width);
    add_loop(loops, "panels of outputs", c->out_channels, ck_gemm_panels(kernels, c->out_channels).width);
}
