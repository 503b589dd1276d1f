// Forward convolution as an implicit GEMM. A task packs the windows of a band of one image's output rows and multiplies
// every output pixel's window with all weight panels:
//   A  row i is output pixel i's window: kernel_h runs of kernel_w·K floats of the plane
//   B  weights packed as [panel][kernel_h][kernel_w·K][width]; with a single panel that is their own layout

#include "drivers/convolution/direct/direct.h"
#include "drivers/shared/gemm.h"
#include "drivers/shared/loops.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct forward_plan {
    window_axis y, x;
    int64_t depth, run; // K and kernel_w·K
    bool direct;        // windows are read from z itself
    int64_t band_rows, bands, tasks;
    int64_t plane_floats;
} forward_plan;

static forward_plan plan_for_batch(const ck_convolution *c, int64_t batch) {
    forward_plan plan = {.y = convolution_rows(c), .x = convolution_columns(c), .depth = convolution_depth(c)};
    plan.run = c->kernel_w * plan.depth;
    plan.direct = ck_activation_reads_plain(&c->activation) && c->pad_top == 0 && c->pad_left == 0
        && (c->out_height - 1) * c->stride_h + c->kernel_h <= c->height
        && (c->out_width - 1) * c->stride_w + c->kernel_w <= c->width;

    const int64_t row_floats = window_extent(&plan.x, c->out_width) * plan.depth;
    const int64_t plane_rows = PLANE_BYTES / 4 / row_floats;
    plan.band_rows = plane_rows < c->kernel_h ? 1 : (plane_rows - c->kernel_h) / window_step(&plan.y) + 1;
    plan.band_rows = min_of(plan.band_rows, divide_up(c->out_height, divide_up(TASKS_WANTED, batch)));
    plan.bands = divide_up(c->out_height, plan.band_rows);
    plan.band_rows = divide_up(c->out_height, plan.bands);
    plan.bands = divide_up(c->out_height, plan.band_rows);
    plan.tasks = batch * plan.bands;
    plan.plane_floats = plan.direct ? 0 : round_up(window_extent(&plan.y, plan.band_rows) * row_floats, 16);
    return plan;
}

typedef struct forward_memory {
    int64_t *a_runs;
    float *weights, *planes;
    size_t size;
} forward_memory;

static forward_memory memory_of(const ck_convolution *c, const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.a_runs = take_integers(&parts, c->kernel_h);
    memory.weights = take_floats(&parts, c->kernel_h * plan->run * gemm_padded_columns(c->out_channels));
    memory.planes = take_floats(&parts, ck_worker_limit(plan->tasks) * plan->plane_floats);
    memory.size = parts.size;
    return memory;
}

static size_t scratch_for_batch(const ck_convolution *convolution, int64_t batch) {
    const forward_plan plan = plan_for_batch(convolution, batch);
    return memory_of(convolution, &plan, NULL).size;
}

size_t ck_direct_forward_scratch(const ck_convolution *convolution) {
    // A smaller batch is cut into more bands, and because of rounding the planes of more bands may be larger in sum.
    return largest_scratch(convolution, TASKS_WANTED, scratch_for_batch);
}

typedef struct forward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    forward_plan plan;
    gemm_panels panels;
    const float *z, *slopes, *weights, *bias;
    const float *panel_weights; // the packed ones, or the caller's
    forward_memory memory;
    float *y;
    gemm_sum sum;
} forward_call;

// One kernel row of one panel.
static void pack_weights(void *context, int64_t task, int worker) {
    (void)worker;
    const forward_call *call = context;
    const int64_t kernel_h = call->convolution->kernel_h, out_channels = call->convolution->out_channels;
    const int64_t panel = task / kernel_h, row = task % kernel_h, run = call->plan.run, width = call->panels.width;
    ck_count_floats(2 * run * gemm_panel_columns(&call->panels, panel));
    gemm_pack_panel(
        &call->panels, panel, call->weights + row * run * out_channels, run, call->memory.weights + task * run * width);
}

static void convolve_band(void *context, int64_t task, int worker) {
    const forward_call *call = context;
    const ck_convolution *c = call->convolution;
    const forward_plan *plan = &call->plan;
    const int64_t image = task / plan->bands, first_row = task % plan->bands * plan->band_rows;
    const int64_t rows = min_of(plan->band_rows, c->out_height - first_row);
    const float *z = call->z + image * c->height * c->width * c->channels;

    const float *plane;
    int64_t pixel_step, row_step;
    if (plan->direct) {
        row_step = c->stride_h * c->width * c->channels;
        pixel_step = c->stride_w * c->channels;
        plane = z + first_row * row_step;
    } else {
        const plane_source source = {call->kernels, &c->activation, call->slopes, c->height, c->width, c->channels, 0,
                                     c->channels};
        float *packed = call->memory.planes + worker * plan->plane_floats;
        ck_pack_windows(&source, z, &plan->y, &plan->x, first_row, rows, packed);
        plane = packed;
        row_step = window_step(&plan->y) * window_extent(&plan->x, c->out_width) * plan->depth;
        pixel_step = window_step(&plan->x) * plan->depth;
    }

    const gemm_product product = {
        .sum = call->sum,
        .panels = call->panels,
        .b = call->panel_weights,
        .b_panel = c->kernel_h * plan->run * call->panels.width,
        .initial = call->bias != NULL ? call->bias : ck_gemm_zeros,
        .c = call->y + (image * c->out_height + first_row) * c->out_width * c->out_channels,
        .c_stride = c->out_channels,
    };
    const gemm_rows windows = {.start = plane, .run = c->out_width, .run_step = row_step, .step = pixel_step};
    ck_gemm(call->kernels, &product, &windows, rows * c->out_width);
}

void ck_direct_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    forward_call call = {
        .convolution = convolution,
        .kernels = kernels,
        .plan = plan_for_batch(convolution, convolution->batch),
        .panels = ck_gemm_panels(kernels, convolution->out_channels),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .bias = bias,
        .y = y,
    };
    const forward_plan *plan = &call.plan;
    call.memory = memory_of(convolution, plan, scratch);
    call.panel_weights = call.memory.weights;
    const int64_t row_floats = plan->direct ? convolution->width * convolution->channels
                                            : window_extent(&plan->x, convolution->out_width) * plan->depth;
    for (int64_t row = 0; row < convolution->kernel_h; row++) call.memory.a_runs[row] = row * row_floats;

    int64_t b_step = call.panels.width;
    if (call.panels.count == 1) {
        call.panel_weights = weights;
        b_step = convolution->out_channels;
    } else {
        const double bytes =
            8.0 * (double)convolution->kernel_h * (double)plan->run * (double)convolution->out_channels;
        ck_parallel(call.panels.count * convolution->kernel_h, bytes, pack_weights, &call);
    }
    call.sum = (gemm_sum){
        .runs = convolution->kernel_h,
        .length = plan->run,
        .a_runs = call.memory.a_runs,
        .a_step = 1,
        .b_run = plan->run * b_step,
        .b_step = b_step};
    ck_parallel(plan->tasks, convolution_work(convolution), convolve_band, &call);
}

void ck_direct_forward_loops(const ck_convolution *c, ck_plan *loops) {
    const forward_plan plan = plan_for_batch(c, c->batch);
    const gemm_panels panels = ck_gemm_panels(ck_kernels_current(), c->out_channels);
    const int64_t pixels = plan.band_rows * c->out_width;
    add_loop(loops, "bands of an image", c->out_height, plan.band_rows);
    add_loop(loops, "slabs of a band's pixels", pixels, GEMM_SLAB_ROWS);
    add_loop(loops, "rows of a slab of pixels", min_of(pixels, GEMM_SLAB_ROWS), c->out_width);
    add_loop(loops, "panels of outputs", c->out_channels, panels.width);
    ck_gemm_loops(loops, c->kernel_h, plan.run);
}
