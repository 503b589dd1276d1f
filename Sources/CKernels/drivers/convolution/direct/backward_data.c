// Backward-data. An input pixel whose padded row is a·stride_h + p gets its gradient from the kernel rows p +
// t·stride_h and the rows a − t of dy alone. So the pixels of one phase (p of rows, p of columns) are a convolution of
// stride 1 over dy with that phase's taps, t counted backwards. A task takes a band of input rows:
//   A  row i is input pixel i's window in the padded plane of dy: taps_h runs of taps_w·N floats
//   B  weights packed as [phase][panel of K][taps_h][taps_w·N][width]
//   C  the members' gradients [pixel][K], folded into dz (and the slopes' gradients) while they are in the cache

#include "drivers/convolution/direct/direct.h"
#include "drivers/shared/gemm.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/slopes.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

typedef struct backward_plan {
    int64_t depth;                 // K
    int64_t taps_h, taps_w;        // most taps of a phase
    bool direct;                   // windows are read from dy itself
    int64_t first_column, columns; // of the plane, in columns of dy
    int64_t band_rows, bands, groups, tasks;
    int64_t plane_floats, gradient_stride, gradient_floats;
    slope_parts slopes;
} backward_plan;

// Taps of a phase, and of all phases before it.
static int64_t taps_of(int64_t kernel, int64_t stride, int64_t phase) {
    return phase < kernel ? divide_up(kernel - phase, stride) : 0;
}

static int64_t taps_before(int64_t kernel, int64_t stride, int64_t phase) {
    const int64_t longer = kernel % stride; // so many phases have one tap more than the rest
    return kernel / stride * phase + min_of(phase, longer);
}

static backward_plan plan_for_batch(const ck_convolution *c, int64_t batch) {
    backward_plan plan = {.depth = convolution_depth(c)};
    plan.taps_h = divide_up(c->kernel_h, c->stride_h);
    plan.taps_w = divide_up(c->kernel_w, c->stride_w);
    plan.direct = c->kernel_h == 1 && c->kernel_w == 1 && c->stride_h == 1 && c->stride_w == 1
        && c->out_height == c->height && c->out_width == c->width;
    plan.first_column = c->pad_left / c->stride_w - (plan.taps_w - 1);
    plan.columns = (c->width - 1 + c->pad_left) / c->stride_w - plan.first_column + 1;

    // With slopes, several images share a task, so that their partial gradients are few.
    const bool slopes = ck_activation_slope_count(&c->activation, 1, 1) > 0;
    plan.groups = slopes ? min_of(batch, TASKS_WANTED) : batch;
    const int64_t row_floats = plan.columns * c->out_channels;
    const int64_t plane_rows = PLANE_BYTES / 4 / row_floats;
    plan.band_rows = max_of((plane_rows - plan.taps_h) * c->stride_h, 1);
    plan.band_rows = min_of(plan.band_rows, divide_up(c->height, divide_up(TASKS_WANTED, plan.groups)));
    plan.bands = divide_up(c->height, plan.band_rows);
    plan.tasks = plan.groups * plan.bands;
    const int64_t most_rows = (plan.band_rows + c->stride_h - 2) / c->stride_h + plan.taps_h;
    plan.plane_floats = plan.direct ? 0 : round_up(most_rows * row_floats, 16);
    plan.gradient_stride = spread_stride(plan.depth);
    plan.gradient_floats = GEMM_SLAB_ROWS * plan.gradient_stride;
    plan.slopes = ck_slope_parts(&c->activation, c->height * c->width, c->channels, plan.groups, plan.bands);
    return plan;
}

typedef struct backward_memory {
    int64_t *a_runs;
    float *weights, *planes, *gradients, *slope_gradients;
    size_t size;
} backward_memory;

static backward_memory memory_of(const ck_convolution *c, const backward_plan *plan, void *scratch) {
    const int64_t workers = ck_worker_limit(plan->tasks);
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.a_runs = take_integers(&parts, plan->taps_h);
    memory.weights =
        take_floats(&parts, c->kernel_h * c->kernel_w * c->out_channels * gemm_padded_columns(plan->depth));
    memory.planes = take_floats(&parts, workers * plan->plane_floats);
    memory.gradients = take_floats(&parts, workers * plan->gradient_floats);
    memory.slope_gradients = take_floats(&parts, plan->slopes.count * plan->slopes.stride);
    memory.size = parts.size;
    return memory;
}

static size_t scratch_for_batch(const ck_convolution *convolution, int64_t batch) {
    const backward_plan plan = plan_for_batch(convolution, batch);
    return memory_of(convolution, &plan, NULL).size;
}

size_t ck_direct_backward_data_scratch(const ck_convolution *convolution) {
    return largest_scratch(convolution, TASKS_WANTED, scratch_for_batch);
}

typedef struct backward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    backward_plan plan;
    gemm_panels panels;
    const float *z, *slopes, *weights, *dy;
    backward_memory memory;
    float *dz;
    float *slope_gradients; // NULL if not wanted
    bool accumulate;
} backward_call;

// Where the packed weights of a phase start.
static float *phase_weights(const backward_call *call, int64_t phase_y, int64_t phase_x) {
    const ck_convolution *c = call->convolution;
    const int64_t taps = taps_before(c->kernel_h, c->stride_h, phase_y) * c->kernel_w
        + taps_of(c->kernel_h, c->stride_h, phase_y) * taps_before(c->kernel_w, c->stride_w, phase_x);
    return call->memory.weights + taps * c->out_channels * call->panels.width * call->panels.count;
}

// One panel of one kernel tap: [K][N] becomes [N][width].
static void pack_weights(void *context, int64_t task, int worker) {
    (void)worker;
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const int64_t panel = task % call->panels.count, tap = task / call->panels.count;
    const int64_t ky = tap / c->kernel_w, kx = tap % c->kernel_w, width = call->panels.width;
    const int64_t phase_y = ky % c->stride_h, phase_x = kx % c->stride_w;
    const int64_t taps_h = taps_of(c->kernel_h, c->stride_h, phase_y),
                  taps_w = taps_of(c->kernel_w, c->stride_w, phase_x);
    const int64_t row = taps_h - 1 - ky / c->stride_h, column = taps_w - 1 - kx / c->stride_w;
    const int64_t index = (panel * taps_h + row) * taps_w + column;
    ck_count_floats(2 * gemm_panel_columns(&call->panels, panel) * c->out_channels);
    call->kernels->gemm.transpose(
        call->weights + (tap * call->plan.depth + panel * width) * c->out_channels, c->out_channels,
        gemm_panel_columns(&call->panels, panel), c->out_channels,
        phase_weights(call, phase_y, phase_x) + index * c->out_channels * width, width);
}

// The state of a task: the image, and the plane of the image.
typedef struct band_view {
    const backward_call *call;
    const float *plane;
    int64_t first_plane_row, first_plane_column, row_floats;
    int64_t image, first_row, end_row;
    float *gradients, *slope_part;
} band_view;

// The pixels of one phase in the band: a grid of rows × columns, stride_h and stride_w apart.
typedef struct phase_grid {
    int64_t y, x, rows, columns;
} phase_grid;

// Where pixel `index` of the grid is in its image.
static int64_t grid_position(const ck_convolution *c, const phase_grid *grid, int64_t index) {
    const int64_t row = index / grid->columns, column = index % grid->columns;
    return (grid->y + row * c->stride_h) * c->width + grid->x + column * c->stride_w;
}

// Some pixels of a phase, whose members' gradients are folded together.
typedef struct phase_slab {
    const band_view *view;
    const phase_grid *grid;
    int64_t first, count;
} phase_slab;

// Prefetches, before each panel, a share of the memory that folding a slab needs. With a stride, the CPU doesn't
// foresee that memory.
static void prefetch_share(const void *context, int64_t panel) {
    const phase_slab *slab = context;
    const backward_call *call = slab->view->call;
    const ck_convolution *c = call->convolution;
    const int64_t panels = call->panels.count, image = slab->view->image * c->height * c->width;
    const int64_t end = slab->first + (panel + 1) * slab->count / panels;
    for (int64_t i = slab->first + panel * slab->count / panels; i < end; i++) {
        const int64_t at = (image + grid_position(c, slab->grid, i)) * c->channels;
        for (int64_t channel = 0; channel < c->channels; channel += CACHE_LINE_FLOATS) {
            __builtin_prefetch(call->z + at + channel, 0, 2);
            if (call->dz != NULL) __builtin_prefetch(call->dz + at + channel, 1, 2);
        }
    }
}

static void fold_slab(const phase_slab *slab) {
    const band_view *view = slab->view;
    const phase_grid *grid = slab->grid;
    const int64_t first = slab->first, count = slab->count;
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    activation_block block =
        ck_activation_block(&c->activation, convolution_image(c), (activation_extent){0, c->channels});
    const int64_t slope_position = block.slope_position;
    block.z_position *= c->stride_w;
    block.slope_position *= c->stride_w;
    block.out_position = call->plan.gradient_stride;
    ck_count_floats(2 * count * call->plan.depth);
    for (int64_t i = 0; i < count; i += block.positions) {
        block.positions = min_of(count - i, grid->columns - (first + i) % grid->columns);
        const int64_t position = grid_position(c, grid, first + i);
        const int64_t at = (view->image * c->height * c->width + position) * c->channels;
        const int64_t slope_at = position * slope_position;
        call->kernels->activation.backward(
            &c->activation, &block, call->z + at, call->slopes == NULL ? NULL : call->slopes + slope_at,
            view->gradients + i * block.out_position, call->dz == NULL ? NULL : call->dz + at, call->accumulate,
            view->slope_part == NULL ? NULL : view->slope_part + slope_at);
    }
}

// All positions of the band in the phase of its position (y, x).
static void convolve_phase(const band_view *view, int64_t y, int64_t x) {
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    const int64_t phase_y = (y + c->pad_top) % c->stride_h, phase_x = (x + c->pad_left) % c->stride_w;
    const int64_t taps_h = taps_of(c->kernel_h, c->stride_h, phase_y),
                  taps_w = taps_of(c->kernel_w, c->stride_w, phase_x);
    const phase_grid grid = {y, x, divide_up(view->end_row - y, c->stride_h), divide_up(c->width - x, c->stride_w)};

    // A phase without taps has gradients of zero: a sum of no runs.
    const bool empty = taps_h == 0 || taps_w == 0;
    const int64_t length = taps_w * c->out_channels, width = call->panels.width;
    const gemm_sum sum = {
        .runs = empty ? 0 : taps_h,
        .length = length,
        .a_runs = call->memory.a_runs,
        .a_step = 1,
        .b_run = length * width,
        .b_step = width};
    const float *origin = view->plane;
    if (!empty)
        origin += ((grid.y + c->pad_top) / c->stride_h - (taps_h - 1) - view->first_plane_row) * view->row_floats
            + ((grid.x + c->pad_left) / c->stride_w - (taps_w - 1) - view->first_plane_column) * c->out_channels;

    const gemm_rows windows = {
        .start = origin,
        .run = grid.columns,
        .run_step = empty ? 0 : view->row_floats,
        .step = empty ? 0 : c->out_channels,
    };
    phase_slab slab = {.view = view, .grid = &grid};
    const gemm_product product = {
        .sum = sum,
        .panels = call->panels,
        .b = phase_weights(call, phase_y, phase_x),
        .b_panel = taps_h * length * width,
        .initial = ck_gemm_zeros,
        .c = view->gradients,
        .c_stride = call->plan.gradient_stride,
        .before_panel = c->stride_w > 1 ? prefetch_share : NULL,
        .context = &slab,
    };
    const int64_t pixels = grid.rows * grid.columns;
    for (int64_t first = 0; first < pixels; first += GEMM_SLAB_ROWS) {
        const int64_t count = min_of(GEMM_SLAB_ROWS, pixels - first);
        const float *starts[GEMM_SLAB_ROWS];
        slab.first = first;
        slab.count = count;
        ck_gemm_find_rows(&windows, first, count, starts);
        ck_gemm_slab(call->kernels, &product, starts, count);
        fold_slab(&slab);
    }
}

static void convolve_band(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t group = task / plan->bands, band = task % plan->bands;
    band_view view = {
        .call = call,
        .first_row = band * plan->band_rows,
        .gradients = call->memory.gradients + worker * plan->gradient_floats,
    };
    view.end_row = min_of(view.first_row + plan->band_rows, c->height);
    if (call->slope_gradients != NULL)
        view.slope_part = ck_slope_part_start(
            &plan->slopes, call->slope_gradients, group, band,
            (slope_range){view.first_row * c->width, (view.end_row - view.first_row) * c->width, 0, c->channels});

    const plane_source source = {call->kernels, &ck_no_activation, NULL, c->out_height,
                                 c->out_width,  c->out_channels,   0,    c->out_channels};
    float *packed = call->memory.planes + worker * plan->plane_floats;
    const int64_t last_plane_row = (view.end_row - 1 + c->pad_top) / c->stride_h;
    view.row_floats = plan->columns * c->out_channels;
    if (!plan->direct) {
        view.first_plane_row = (view.first_row + c->pad_top) / c->stride_h - (plan->taps_h - 1);
        view.first_plane_column = plan->first_column;
    }
    for (view.image = group * c->batch / plan->groups; view.image < (group + 1) * c->batch / plan->groups;
         view.image++) {
        view.plane = call->dy + view.image * c->out_height * c->out_width * c->out_channels;
        if (!plan->direct) {
            for (int64_t row = view.first_plane_row; row <= last_plane_row; row++)
                ck_pack_pixels(
                    &source, view.plane, row, plan->first_column, plan->columns,
                    packed + (row - view.first_plane_row) * view.row_floats);
            view.plane = packed;
        }
        // The phases that occur, each at its first row and column.
        for (int64_t y = view.first_row; y < min_of(view.first_row + c->stride_h, view.end_row); y++)
            for (int64_t x = 0; x < min_of(c->stride_w, c->width); x++) convolve_phase(&view, y, x);
    }
}

void ck_direct_backward_data(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, void *scratch) {
    const ck_convolution *c = convolution;
    const ck_kernels *kernels = ck_kernels_current();
    backward_call call = {
        .convolution = c,
        .kernels = kernels,
        .plan = plan_for_batch(c, c->batch),
        .z = z,
        .slopes = slopes,
        .weights = weights,
        .dy = dy,
        .dz = dz,
        .accumulate = accumulate,
    };
    const backward_plan *plan = &call.plan;
    call.panels = ck_gemm_panels(kernels, plan->depth);
    call.memory = memory_of(c, plan, scratch);
    if (dslopes != NULL && plan->slopes.count > 0) call.slope_gradients = call.memory.slope_gradients;
    for (int64_t row = 0; row < plan->taps_h; row++) call.memory.a_runs[row] = row * plan->columns * c->out_channels;

    const double bytes =
        8.0 * (double)c->kernel_h * (double)c->kernel_w * (double)plan->depth * (double)c->out_channels;
    ck_parallel(c->kernel_h * c->kernel_w * call.panels.count, bytes, pack_weights, &call);
    const double fold_work = 8.0 * (double)c->batch * (double)c->height * (double)c->width * (double)plan->depth;
    ck_parallel(plan->tasks, convolution_work(c) + fold_work, convolve_band, &call);
    if (call.slope_gradients != NULL) ck_sum_slope_parts(&plan->slopes, call.slope_gradients, dslopes);
}

void ck_direct_backward_data_loops(const ck_convolution *c, ck_plan *loops) {
    const backward_plan plan = plan_for_batch(c, c->batch);
    const int64_t columns = divide_up(c->width, c->stride_w);
    const int64_t pixels = divide_up(plan.band_rows, c->stride_h) * columns;
    add_split(loops, "data: groups of images", c->batch, plan.groups);
    add_loop(loops, "data: bands of an image", c->height, plan.band_rows);
    add_loop(loops, "data: slabs of a phase's pixels", pixels, GEMM_SLAB_ROWS);
    // With a remainder, the second slab begins in mid-row.
    if (pixels > GEMM_SLAB_ROWS)
        add_loop(
            loops, c->stride_w > 1 ? "data: rows of a slab of strided pixels" : "data: rows of a slab of pixels",
            GEMM_SLAB_ROWS, columns);
    add_loop(loops, "data: panels of members", plan.depth, ck_gemm_panels(ck_kernels_current(), plan.depth).width);
}
