// Backward pass of 1×1 convolutions. Both gradients are found in one sweep, so that z and dy are read from memory once.
// A task takes a range of output pixels, block by block:
//   members   packed [pixel][K] (z itself where z is its own activation)
//   dy        where y was normalised, formed from the gradient of the result
//   gradient  of the members, [pixel][K] = dy · weightsᵀ; folded into dz while it is in the cache
//   dweights  [K][N] += membersᵀ · dy: a part for each task, added in order at the end
// The tasks are few, because each has a part.

#include <string.h>

#include "drivers/convolution/pointwise/pointwise.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "runtime/threads.h"

enum {
    BLOCK_PIXELS = 2 * GEMM_SLAB_ROWS,
    BACKWARD_TASKS = 16,
};

typedef struct backward_plan {
    int64_t depth, stride, columns; // K, from one packed pixel to the next, N padded
    int64_t blocks, tasks;
    bool direct;          // the members are z itself
    int64_t block_floats; // of a block's members, and of their gradients
    int64_t dy_floats, part_stride, part_floats;
} backward_plan;

static backward_plan plan_of(const ck_convolution *c) {
    backward_plan plan = {.depth = convolution_depth(c), .direct = ck_activation_reads_plain(&c->activation)};
    plan.stride = spread_stride(plan.depth);
    plan.columns = gemm_padded_columns(c->out_channels);
    plan.blocks = divide_up(pointwise_pixels(c), BLOCK_PIXELS);
    plan.tasks = c->single_threaded ? 1 : min_of(plan.blocks, BACKWARD_TASKS);
    plan.block_floats = BLOCK_PIXELS * plan.stride;
    plan.dy_floats = round_up(BLOCK_PIXELS * c->out_channels, 16);
    // A single task's part is the weights' gradient itself.
    plan.part_stride = plan.tasks == 1 ? c->out_channels : plan.columns;
    plan.part_floats = plan.tasks == 1 ? 0 : plan.depth * plan.columns;
    return plan;
}

typedef struct backward_memory {
    float *weights, *members, *gradients, *dy, *parts, *bias_parts;
    size_t size;
} backward_memory;

static backward_memory memory_of(const ck_convolution *c, const backward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.weights = take_floats(&parts, c->out_channels * gemm_padded_columns(plan->depth));
    memory.members = take_floats(&parts, BACKWARD_TASKS * plan->block_floats);
    memory.gradients = take_floats(&parts, BACKWARD_TASKS * plan->block_floats);
    memory.dy = take_floats(&parts, BACKWARD_TASKS * plan->dy_floats);
    memory.parts = take_floats(&parts, plan->tasks * plan->part_floats);
    memory.bias_parts = take_floats(&parts, plan->tasks * plan->columns);
    memory.size = parts.size;
    return memory;
}

size_t ck_pointwise_backward_scratch(const ck_convolution *convolution) {
    const backward_plan plan = plan_of(convolution);
    return memory_of(convolution, &plan, NULL).size;
}

typedef struct backward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    backward_plan plan;
    gemm_panels panels, weight_panels; // of K, and of N
    const float *z, *weights, *dy, *dactivation;
    const ck_normalization_gradient *normalization; // or NULL
    backward_memory memory;
    float *dz, *dweights;
    float *parts;      // of the weights' gradient, or that itself
    float *bias_parts; // NULL if not wanted
    bool accumulate;
} backward_call;

// One panel: [K][N] becomes [N][width].
static void pack_weights(void *context, int64_t panel, int worker) {
    (void)worker;
    const backward_call *call = context;
    const int64_t out_channels = call->convolution->out_channels, width = call->panels.width;
    call->kernels->gemm.transpose(
        call->weights + panel * width * out_channels, out_channels, gemm_panel_columns(&call->panels, panel),
        out_channels, call->memory.weights + panel * out_channels * width, width);
}

// The gradients of pixels of z that no output pixel reads, in a run's share of the image.
static void clear_share(const backward_call *call, const pixel_run *run) {
    const ck_convolution *c = call->convolution;
    const int64_t end_y = run->y + 1 == c->out_height ? c->height : (run->y + 1) * c->stride_h;
    const int64_t end_x = run->x + run->count == c->out_width ? c->width : (run->x + run->count) * c->stride_w;
    const int64_t first_x = run->x * c->stride_w;
    for (int64_t y = run->y * c->stride_h; y < end_y; y++)
        memset(
            call->dz + ((run->image * c->height + y) * c->width + first_x) * c->channels, 0,
            (size_t)((end_x - first_x) * c->channels) * sizeof(float));
}

// The gradients of some pixels' members.
static void find_gradients(
    const backward_call *call, const float *dy, int64_t first, int64_t count, gemm_ahead *ahead, float *gradients) {
    const backward_plan *plan = &call->plan;
    const int64_t out_channels = call->convolution->out_channels;
    const gemm_sum sum = {
        .runs = 1,
        .length = out_channels,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = call->panels.width,
        .a_distance = out_channels};
    if (call->dactivation != NULL)
        call->kernels->elementwise.copy_rows(
            count, plan->depth, call->dactivation + first * plan->depth, plan->depth, gradients, plan->stride, false);
    const gemm_product product = {
        .sum = sum,
        .panels = call->panels,
        .b = call->memory.weights,
        .b_panel = out_channels * call->panels.width,
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

// Adds a block's products, its rows of A `a_step` apart.
static void add_weights(
    const backward_call *call, const float *members, int64_t a_step, const float *dy, int64_t count, bool first,
    gemm_ahead *ahead, float *part) {
    const backward_plan *plan = &call->plan;
    const gemm_sum sum = {
        .runs = 1,
        .length = count,
        .a_runs = &no_offset,
        .a_step = a_step,
        .b_step = call->convolution->out_channels,
        .a_distance = 1};
    const gemm_product product = {
        .sum = sum,
        .panels = call->weight_panels,
        .b = dy,
        .b_panel = call->weight_panels.width,
        .initial = first ? ck_gemm_zeros : NULL,
        .c = part,
        .c_stride = plan->part_stride,
        .panels_outside = true,
        .ahead = ahead,
    };
    const gemm_rows elements = gemm_rows_apart(members, 1);
    ck_gemm(call->kernels, &product, &elements, plan->depth);
}

// The memory that the block of `count` pixels from `first` on will touch.
static gemm_ahead look_ahead(const backward_call *call, int64_t first, int64_t count) {
    const ck_convolution *c = call->convolution;
    const int64_t depth = call->plan.depth;
    gemm_ahead ahead = {0};
    if (count <= 0) return ahead;
    const pixel_run run = pixel_run_at(c, first, count);
    const int64_t at = run.position * c->channels, floats = pixel_run_floats(c, &run);
    gemm_ahead_add(&ahead, 0, call->dy + first * c->out_channels, count * c->out_channels);
    gemm_ahead_add(&ahead, 1, call->z + at, floats);
    if (call->dz != NULL) gemm_ahead_add(&ahead, 2, call->dz + at, floats);
    if (call->dactivation != NULL) gemm_ahead_add(&ahead, 3, call->dactivation + first * depth, count * depth);
    gemm_ahead_spread(
        &ahead,
        (call->dz == NULL ? 0 : ck_gemm_tile_count(call->kernels, BLOCK_PIXELS, depth))
            + ck_gemm_tile_count(call->kernels, depth, c->out_channels));
    return ahead;
}

static void sweep_pixels(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t pixels = pointwise_pixels(c),
                  end = min_of((task + 1) * plan->blocks / plan->tasks * BLOCK_PIXELS, pixels);
    float *const packed = call->memory.members + worker * plan->block_floats;
    float *const gradients = call->memory.gradients + worker * plan->block_floats;
    float *const part = call->parts + task * plan->part_floats;
    const bool gapless = pixel_runs_are_whole(c);
    const bool read_in_place = plan->direct && gapless;
    const bool clear = call->dz != NULL && !call->accumulate && !gapless;
    const int64_t start = task * plan->blocks / plan->tasks * BLOCK_PIXELS;
    for (int64_t first = start; first < end; first += BLOCK_PIXELS) {
        const int64_t count = min_of(BLOCK_PIXELS, end - first);
        const float *dy = call->dy + first * c->out_channels;
        if (call->normalization != NULL)
            dy = undo_normalization(call, first, count, call->memory.dy + worker * plan->dy_floats);
        gemm_ahead ahead = look_ahead(call, first + count, min_of(BLOCK_PIXELS, end - first - count));
        if (call->dz != NULL) find_gradients(call, dy, first, count, &ahead, gradients);
        for (int64_t done = 0; done < count;) {
            const pixel_run run = pixel_run_at(c, first + done, count - done);
            const activation_block block = pixel_run_block(c, &run, plan->stride);
            const int64_t at = run.position * c->channels;
            if (!read_in_place)
                call->kernels->activation.forward(
                    &c->activation, &block, call->z + at, NULL, packed + done * plan->stride);
            if (clear) clear_share(call, &run);
            if (call->dz != NULL)
                call->kernels->activation.backward(
                    &c->activation, &block, call->z + at, NULL, gradients + done * plan->stride, call->dz + at,
                    call->accumulate, NULL);
            done += run.count;
        }
        add_weights(
            call, read_in_place ? call->z + first * c->channels : packed, read_in_place ? c->channels : plan->stride,
            dy, count, first == start, &ahead, part);
        if (call->bias_parts != NULL)
            call->kernels->gemm.sum_rows(
                dy, count, c->out_channels, first == start, call->bias_parts + task * plan->columns);
    }
}

// Adds the parts of some rows of the weights' gradient.
static void gather_row(void *context, int64_t row, int worker) {
    (void)worker;
    const backward_call *call = context;
    const backward_plan *plan = &call->plan;
    const int64_t out_channels = call->convolution->out_channels;
    add_parts(
        call->kernels, call->parts + row * plan->part_stride, plan->tasks, plan->part_floats, out_channels,
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
    call.panels = ck_gemm_panels(kernels, plan->depth);
    call.memory = memory_of(convolution, plan, scratch);
    call.parts = plan->tasks == 1 ? dweights : call.memory.parts;
    if (dbias != NULL) call.bias_parts = call.memory.bias_parts;
    if (dz != NULL) {
        const double bytes = 8.0 * (double)plan->depth * (double)convolution->out_channels;
        ck_parallel(call.panels.count, bytes, pack_weights, &call);
    }
    ck_parallel(plan->tasks, 2 * convolution_work(convolution), sweep_pixels, &call);
    if (plan->tasks > 1) {
        const double parts_work =
            4.0 * (double)(plan->tasks + 1) * (double)plan->depth * (double)convolution->out_channels;
        ck_parallel(plan->depth, parts_work, gather_row, &call);
    }
    if (dbias != NULL) ck_sum_parts(call.bias_parts, plan->tasks, plan->columns, convolution->out_channels, dbias);
}

void ck_pointwise_backward_loops(const ck_convolution *c, ck_plan *loops) {
    const ck_kernels *kernels = ck_kernels_current();
    const backward_plan plan = plan_of(c);
    const int64_t pixels = pointwise_pixels(c), last_task = (plan.tasks - 1) * plan.blocks / plan.tasks * BLOCK_PIXELS;
    add_split(loops, "tasks", plan.blocks, plan.tasks);
    add_loop(loops, "blocks of the last task", pixels - last_task, BLOCK_PIXELS);
    add_loop(loops, "slabs of the last block", (pixels - 1) % BLOCK_PIXELS + 1, GEMM_SLAB_ROWS);
    if (!pixel_runs_are_whole(c) && pixels > BLOCK_PIXELS)
        add_loop(loops, "runs of a block", BLOCK_PIXELS, c->out_width);
    add_loop(loops, "slabs of members", plan.depth, GEMM_SLAB_ROWS);
    add_loop(loops, "panels of members", plan.depth, ck_gemm_panels(kernels, plan.depth).width);
    add_loop(loops, "panels of outputs", c->out_channels, ck_gemm_panels(kernels, c->out_channels).width);
}
