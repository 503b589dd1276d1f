// Forward pass of 1×1 convolutions. A task takes a range of output pixels, slab by slab:
//   A  row i is pixel i of z, or of its members packed
//   B  weights packed as [panel][K][width]; with a single panel that is their own layout
//   C  y, starting from the bias; while a slab is in the cache, the post-ops are applied and the moments are taken
// Moments have a part for every so many pixels, whatever pixels a task takes.

#include "drivers/convolution/pointwise/pointwise.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/post_ops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

enum {
    FORWARD_TASK_PIXELS = 20 * GEMM_SLAB_ROWS,
    PARTS_WANTED = 64, // of the moments
};

typedef struct forward_plan {
    int64_t depth, part_pixels, task_pixels, tasks;
    bool direct;           // A is z itself
    int64_t packed_floats; // of a slab
} forward_plan;

static forward_plan plan_of(const ck_convolution *c, bool gives_moments) {
    forward_plan plan = {.depth = convolution_depth(c), .direct = ck_activation_reads_plain(&c->activation)};
    const int64_t pixels = pointwise_pixels(c);
    plan.part_pixels = min_of(round_up(divide_up(pixels, PARTS_WANTED), GEMM_SLAB_ROWS), FORWARD_TASK_PIXELS);
    // A task takes whole parts. Long tasks fetch more of their memory ahead, so few threads have long tasks.
    const int64_t unit = gives_moments ? plan.part_pixels : GEMM_SLAB_ROWS;
    plan.task_pixels = min_of(round_up(divide_up(pixels, TASKS_WANTED), unit), FORWARD_TASK_PIXELS / unit * unit);
    plan.task_pixels = length_for_threads(pixels, unit, plan.task_pixels);
    plan.tasks = divide_up(pixels, plan.task_pixels);
    plan.packed_floats = plan.direct ? 0 : GEMM_SLAB_ROWS * spread_stride(plan.depth);
    return plan;
}

typedef struct forward_memory {
    float *weights, *packed;
    size_t size;
} forward_memory;

static forward_memory memory_of(const ck_convolution *c, const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.weights = take_floats(&parts, plan->depth * gemm_padded_columns(c->out_channels));
    memory.packed = take_floats(&parts, ck_most_workers() * plan->packed_floats);
    memory.size = parts.size;
    return memory;
}

int64_t ck_pointwise_moments_rows(const ck_convolution *convolution) { return plan_of(convolution, true).part_pixels; }

size_t ck_pointwise_moments_count(const ck_convolution *convolution) {
    const int64_t pixels = pointwise_pixels(convolution), small_parts = divide_up(pixels, GEMM_SLAB_ROWS);
    const int64_t large_parts = divide_up(pixels, FORWARD_TASK_PIXELS);
    const int64_t parts = max_of(min_of(small_parts, PARTS_WANTED), large_parts);
    return (size_t)(parts * 2 * convolution->out_channels);
}

size_t ck_pointwise_forward_scratch(const ck_convolution *convolution) {
    const forward_plan plan = plan_of(convolution, false);
    return memory_of(convolution, &plan, NULL).size;
}

typedef struct forward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    forward_plan plan;
    gemm_panels panels;
    gemm_sum sum;
    const float *z, *weights, *bias;
    const ck_post_ops *post_ops;
    forward_memory memory;
    float *y;
    double *moments;
} forward_call;

static void pack_weights(void *context, int64_t panel, int worker) {
    (void)worker;
    const forward_call *call = context;
    const int64_t depth = call->plan.depth;
    ck_count_floats(2 * depth * gemm_panel_columns(&call->panels, panel));
    gemm_pack_panel(
        &call->panels, panel, call->weights, depth, call->memory.weights + panel * depth * call->panels.width);
}

// Where the rows of A of a slab start.
static void find_rows(const forward_call *call, int64_t first, int64_t count, float *packed, const float **rows) {
    const ck_convolution *c = call->convolution;
    const int64_t stride = spread_stride(call->plan.depth);
    for (int64_t done = 0; done < count;) {
        const pixel_run run = pixel_run_at(c, first + done, count - done);
        const float *z = call->z + run.position * c->channels;
        if (call->plan.direct) {
            for (int64_t i = 0; i < run.count; i++) rows[done + i] = z + i * c->stride_w * c->channels;
        } else {
            const activation_block block = pixel_run_block(c, &run, c->channels, stride);
            call->kernels->activation.forward(&c->activation, &block, z, NULL, packed + done * stride);
            for (int64_t i = 0; i < run.count; i++) rows[done + i] = packed + (done + i) * stride;
        }
        done += run.count;
    }
}

// The memory that the slab of `count` pixels from `first` on will touch. Where z is packed, z is one stream and arrives
// by itself.
static gemm_ahead look_ahead(const forward_call *call, int64_t first, int64_t count) {
    const ck_convolution *c = call->convolution;
    gemm_ahead ahead = {0};
    if (count <= 0) return ahead;
    gemm_ahead_add(&ahead, 0, call->y + first * c->out_channels, count * c->out_channels);
    if (call->post_ops != NULL && call->post_ops->addend != NULL)
        gemm_ahead_add(&ahead, 1, call->post_ops->addend + first * c->out_channels, count * c->out_channels);
    if (call->plan.direct) {
        const pixel_run run = pixel_run_at(c, first, count);
        gemm_ahead_add(&ahead, 2, call->z + run.position * c->channels, pixel_run_floats(c, &run));
    }
    gemm_ahead_spread(&ahead, ck_gemm_tile_count(call->kernels, GEMM_SLAB_ROWS, c->out_channels));
    return ahead;
}

static void multiply_pixels(void *context, int64_t task, int worker) {
    const forward_call *call = context;
    const forward_plan *plan = &call->plan;
    const int64_t columns = call->convolution->out_channels;
    const int64_t start = task * plan->task_pixels;
    const int64_t end = min_of(start + plan->task_pixels, pointwise_pixels(call->convolution));
    for (int64_t first = start; first < end; first += GEMM_SLAB_ROWS) {
        const int64_t count = min_of(GEMM_SLAB_ROWS, end - first);
        const float *rows[GEMM_SLAB_ROWS];
        float *y = call->y + first * columns;
        gemm_ahead ahead = look_ahead(call, first + count, min_of(GEMM_SLAB_ROWS, end - first - count));
        find_rows(call, first, count, call->memory.packed + worker * plan->packed_floats, rows);
        const gemm_product product = {
            .sum = call->sum,
            .panels = call->panels,
            .b = call->weights,
            .b_panel = plan->depth * call->panels.width,
            .initial = call->bias != NULL ? call->bias : ck_gemm_zeros,
            .c = y,
            .c_stride = columns,
            .ahead = &ahead,
        };
        ck_gemm_slab(call->kernels, &product, rows, count);
        ck_apply_post_ops(call->kernels, call->post_ops, first * columns, count * columns, call->y);
        if (call->moments != NULL) {
            double *const mean = call->moments + first / plan->part_pixels * 2 * columns;
            call->kernels->normalization.moments(first % plan->part_pixels, count, columns, y, mean, mean + columns);
        }
    }
}

void ck_pointwise_forward(
    const ck_convolution *convolution, const float *z, const float *weights, const float *bias,
    const ck_post_ops *post_ops, float *y, double *moments, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    forward_call call = {
        .convolution = convolution,
        .kernels = kernels,
        .plan = plan_of(convolution, moments != NULL),
        .panels = ck_gemm_panels(kernels, convolution->out_channels),
        .z = z,
        .weights = weights,
        .bias = bias,
        .post_ops = post_ops,
        .y = y,
        .moments = moments,
    };
    const forward_plan *plan = &call.plan;
    call.memory = memory_of(convolution, plan, scratch);
    int64_t b_step = convolution->out_channels;
    if (call.panels.count > 1) {
        b_step = call.panels.width;
        const double bytes = 8.0 * (double)plan->depth * (double)convolution->out_channels;
        ck_parallel(call.panels.count, bytes, pack_weights, &call);
        call.weights = call.memory.weights;
    }
    call.sum = (gemm_sum){.runs = 1, .length = plan->depth, .a_runs = &no_offset, .a_step = 1, .b_step = b_step};
    if (!plan->direct) call.sum.a_distance = spread_stride(plan->depth);
    else if (pixel_runs_are_whole(convolution)) call.sum.a_distance = convolution->channels;
    ck_parallel(plan->tasks, convolution_work(convolution), multiply_pixels, &call);
}

void ck_pointwise_forward_loops(const ck_convolution *c, ck_plan *loops) {
    const forward_plan plan = plan_of(c, false);
    const int64_t pixels = pointwise_pixels(c), last_task = (pixels - 1) % plan.task_pixels + 1;
    add_loop(loops, "tasks", pixels, plan.task_pixels);
    add_loop(loops, "slabs of the last task", last_task, GEMM_SLAB_ROWS);
    if (!pixel_runs_are_whole(c) && pixels > GEMM_SLAB_ROWS)
        add_loop(loops, "runs of a slab", GEMM_SLAB_ROWS, c->out_width);
    add_loop(loops, "panels of outputs", c->out_channels, ck_gemm_panels(ck_kernels_current(), c->out_channels).width);
}
