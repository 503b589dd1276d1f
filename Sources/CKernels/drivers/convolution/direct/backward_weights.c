// Backward-weights. A task owns a slice of z's channels, with all their members and all kernel taps, and a group of
// images. In each step (a few images, or a band of one image) the task packs the windows of its slice and adds to its
// own gradients, which stay in the cache:
//   A  row j is element j of a kernel row's kernel_w·depth run, its sum running over output pixels
//   B  dy itself, a row per output pixel
//   C  [kernel_h][kernel_w·depth][padded N] per slice and group; the groups' parts are added in order at the end
// where depth = members·(channels of the slice). On many threads, several tasks share a slice of a group: each packs
// the windows for itself, and adds some columns of dy. The gradient of the bias is one more row of the first slice; the
// A of this row is all ones. A separate sweep over dy would find that dy has left L1.

#include "drivers/convolution/direct/direct.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/gemm.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"
#include "runtime/threads.h"

enum {
    WEIGHT_SLICE_CHANNELS = 16, // narrow enough for the gradients of a slice to stay in L2
    STEP_PIXELS = 256,          // output pixels worth a pass over those gradients
    STEP_PLANE_BYTES = 256 << 10,
    // A sum for each slice and group: at least so many, and more where they are small.
    LEAST_SUMS = 12,
    MOST_SUMS = 64,
    SUM_BYTES = 512 << 10, // of all sums, if there are more than the least
};

typedef struct weights_plan {
    window_axis y, x;
    int64_t slices, slice_channels, groups;
    int64_t sums;                   // a sum of gradients for each slice of each group
    int64_t band_rows, step_images; // of a step: a band of one image, or all rows of some
    int64_t columns, plane_floats;  // of the plane of one image or band
    int64_t padded_columns, gradient_floats;
} weights_plan;

static weights_plan plan_of(const ck_convolution *c) {
    weights_plan plan = {.y = convolution_rows(c), .x = convolution_columns(c)};
    plan.slice_channels = min_of(c->channels, WEIGHT_SLICE_CHANNELS);
    plan.slices = divide_up(c->channels, plan.slice_channels);
    const int64_t depth = c->activation.member_count * plan.slice_channels;
    plan.padded_columns = gemm_padded_columns(c->out_channels);
    plan.gradient_floats = (c->kernel_h * c->kernel_w * depth + 1) * plan.padded_columns;
    const int64_t sums = min_of(max_of(SUM_BYTES / 4 / plan.gradient_floats, LEAST_SUMS), MOST_SUMS);
    plan.groups = c->single_threaded ? 1 : min_of(divide_up(sums, plan.slices), c->batch);
    plan.sums = plan.slices * plan.groups;

    plan.columns = window_extent(&plan.x, c->out_width);
    const int64_t row_floats = plan.columns * depth;
    const int64_t plane_rows = STEP_PLANE_BYTES / 4 / row_floats;
    plan.band_rows = plane_rows < c->kernel_h ? 1 : (plane_rows - c->kernel_h) / window_step(&plan.y) + 1;
    plan.band_rows = min_of(plan.band_rows, c->out_height);
    plan.plane_floats = round_up(window_extent(&plan.y, plan.band_rows) * row_floats, 16);
    plan.step_images = 1;
    if (plan.band_rows == c->out_height) {
        const int64_t wanted = divide_up(STEP_PIXELS, c->out_height * c->out_width);
        const int64_t room = max_of(STEP_PLANE_BYTES / 4 / plan.plane_floats, 1);
        plan.step_images = min_of(min_of(wanted, room), divide_up(c->batch, plan.groups));
    }
    return plan;
}

typedef struct weights_memory {
    int64_t *a_runs;      // where the output rows of a step start in the planes,
    int64_t *last_a_runs; // and in the planes of the last slice
    float *planes, *gradients;
    float *ones; // as a step's planes
    size_t size;
} weights_memory;

static weights_memory memory_of(const weights_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    weights_memory memory;
    memory.a_runs = take_integers(&parts, plan->step_images * plan->band_rows);
    memory.last_a_runs = take_integers(&parts, plan->step_images * plan->band_rows);
    // Any number of tasks may share a sum.
    memory.planes = take_floats(&parts, ck_most_workers() * plan->step_images * plan->plane_floats);
    memory.ones = take_floats(&parts, plan->step_images * plan->plane_floats);
    memory.gradients = take_floats(&parts, plan->sums * plan->gradient_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_direct_backward_weights_scratch(const ck_convolution *convolution) {
    const weights_plan plan = plan_of(convolution);
    return memory_of(&plan, NULL).size;
}

typedef struct weights_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    weights_plan plan;
    gemm_panels panels;
    int64_t part_panels, parts; // the panels of a task, and the tasks that share a sum
    const float *z, *slopes, *dy;
    weights_memory memory;
    float *dweights;
    const float *ones; // NULL if no bias gradient is wanted
} weights_call;

// The channels of a slice; the last may be narrower.
static int64_t slice_width(const weights_call *call, int64_t slice) {
    return min_of(call->plan.slice_channels, call->convolution->channels - slice * call->plan.slice_channels);
}

// Adds the products of one step: `runs` output rows of dy and their windows in `plane`. If `ones` is not NULL, adds the
// sum of dy too.
static void add_step(
    const weights_call *call, const gemm_panels *panels, const float *plane, const float *ones, int64_t depth,
    const int64_t *a_runs, const float *dy, int64_t runs, bool first, float *gradients) {
    const ck_convolution *c = call->convolution;
    const int64_t run = c->kernel_w * depth, row_floats = call->plan.columns * depth;
    const gemm_sum sum = {
        .runs = runs,
        .length = c->out_width,
        .a_runs = a_runs,
        .a_step = window_step(&call->plan.x) * depth,
        .b_run = c->out_width * c->out_channels,
        .b_step = c->out_channels,
        .b_ahead = GEMM_PIECE_TERMS * c->out_channels,
    };
    const gemm_product product = {
        .sum = sum,
        .panels = *panels,
        .b = dy,
        .b_panel = call->panels.width,
        .initial = first ? ck_gemm_zeros : NULL,
        .c = gradients,
        .c_stride = call->plan.padded_columns,
        .panels_outside = true,
    };
    const gemm_rows elements = {.start = plane, .run = run, .run_step = row_floats, .step = 1, .extra = ones};
    ck_gemm(call->kernels, &product, &elements, c->kernel_h * run);
}

static void accumulate_slice(void *context, int64_t task, int worker) {
    const weights_call *call = context;
    const ck_convolution *c = call->convolution;
    const weights_plan *plan = &call->plan;
    const int64_t sum = task / call->parts, group = sum / plan->slices, slice = sum % plan->slices;
    // Neighbouring tasks share what they pack.
    const int64_t width = call->panels.width, first_panel = task % call->parts * call->part_panels;
    const gemm_panels panels = gemm_panel_range(&call->panels, first_panel, call->part_panels);
    const int64_t first_column = first_panel * width;
    const int64_t end_image = (group + 1) * c->batch / plan->groups, channels = slice_width(call, slice);
    const plane_source source = {
        call->kernels, &c->activation, call->slopes, c->height, c->width, c->channels, slice * plan->slice_channels,
        channels};
    const int64_t depth = c->activation.member_count * channels;
    const int64_t *a_runs = slice == plan->slices - 1 ? call->memory.last_a_runs : call->memory.a_runs;
    float *planes = call->memory.planes + worker * plan->step_images * plan->plane_floats;
    float *gradients = call->memory.gradients + sum * plan->gradient_floats + first_column;
    bool first = true;
    for (int64_t image = group * c->batch / plan->groups; image < end_image; image += plan->step_images)
        for (int64_t row = 0; row < c->out_height; row += plan->band_rows) {
            const int64_t images = min_of(plan->step_images, end_image - image);
            const int64_t rows = min_of(plan->band_rows, c->out_height - row);
            for (int64_t i = 0; i < images; i++)
                ck_pack_windows(
                    &source, call->z + (image + i) * c->height * c->width * c->channels, &plan->y, &plan->x, row, rows,
                    planes + i * window_extent(&plan->y, plan->band_rows) * plan->columns * depth);
            const int64_t pixel = (image * c->out_height + row) * c->out_width;
            const float *dy = call->dy + pixel * c->out_channels + first_column;
            const float *ones = slice == 0 ? call->ones : NULL;
            add_step(call, &panels, planes, ones, depth, a_runs, dy, images * rows, first, gradients);
            first = false;
        }
}

// Adds the groups' parts of one slice of one kernel tap, and puts them where they belong.
static void gather_slice(void *context, int64_t task, int worker) {
    (void)worker;
    const weights_call *call = context;
    const ck_convolution *c = call->convolution;
    const weights_plan *plan = &call->plan;
    const int64_t slice = task % plan->slices, tap = task / plan->slices, channels = slice_width(call, slice);
    for (int64_t m = 0; m < c->activation.member_count; m++)
        for (int64_t channel = 0; channel < channels; channel++) {
            const int64_t row = (tap * c->activation.member_count + m) * channels + channel;
            const float *part = call->memory.gradients + slice * plan->gradient_floats + row * plan->padded_columns;
            float *target = call->dweights
                + (tap * convolution_depth(c) + m * c->channels + slice * plan->slice_channels + channel)
                    * c->out_channels;
            add_parts(call->kernels, part, plan->groups, plan->slices * plan->gradient_floats, c->out_channels, target);
        }
}

// Where each output row of a step starts in its planes.
static void fill_a_runs(const weights_plan *plan, int64_t depth, int64_t *a_runs) {
    const int64_t plane_rows = window_extent(&plan->y, plan->band_rows), step = window_step(&plan->y);
    for (int64_t image = 0; image < plan->step_images; image++)
        for (int64_t row = 0; row < plan->band_rows; row++)
            a_runs[image * plan->band_rows + row] = (image * plane_rows + row * step) * plan->columns * depth;
}

void ck_direct_backward_weights(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *dy, float *dweights,
    float *dbias, void *scratch) {
    const ck_convolution *c = convolution;
    const ck_kernels *kernels = ck_kernels_current();
    weights_call call = {
        .convolution = c,
        .kernels = kernels,
        .plan = plan_of(c),
        .panels = ck_gemm_panels(kernels, c->out_channels),
        .z = z,
        .slopes = slopes,
        .dy = dy,
        .dweights = dweights,
    };
    const weights_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    if (dbias != NULL) {
        for (int64_t i = 0; i < plan->step_images * plan->plane_floats; i++) call.memory.ones[i] = 1;
        call.ones = call.memory.ones;
    }
    fill_a_runs(plan, c->activation.member_count * plan->slice_channels, call.memory.a_runs);
    fill_a_runs(plan, c->activation.member_count * slice_width(&call, plan->slices - 1), call.memory.last_a_runs);

    call.part_panels = divide_up(call.panels.count, min_of(call.panels.count, pieces_for_threads(plan->sums)));
    call.parts = divide_up(call.panels.count, call.part_panels);
    ck_parallel(plan->sums * call.parts, convolution_work(c), accumulate_slice, &call);
    const int64_t weights = c->kernel_h * c->kernel_w * convolution_depth(c) * c->out_channels;
    ck_parallel(
        c->kernel_h * c->kernel_w * plan->slices, 4.0 * (double)(plan->groups + 1) * (double)weights, gather_slice,
        &call);
    if (dbias != NULL)
        ck_sum_parts(
            call.memory.gradients
                + c->kernel_h * c->kernel_w * c->activation.member_count * slice_width(&call, 0) * plan->padded_columns,
            plan->groups, plan->slices * plan->gradient_floats, c->out_channels, dbias);
}

void ck_direct_backward_weights_loops(const ck_convolution *c, ck_plan *loops) {
    const weights_plan plan = plan_of(c);
    const int64_t rows = c->kernel_h * c->kernel_w * c->activation.member_count * plan.slice_channels + 1;
    add_loop(loops, "weights: slices of channels", c->channels, plan.slice_channels);
    add_split(loops, "weights: groups of images", c->batch, plan.groups);
    add_loop(loops, "weights: steps of several images", divide_up(c->batch, plan.groups), plan.step_images);
    add_loop(loops, "weights: bands of an image", c->out_height, plan.band_rows);
    add_loop(loops, "weights: slabs of a slice's elements", rows, GEMM_SLAB_ROWS);
    add_loop(
        loops, "weights: panels of outputs", c->out_channels,
        ck_gemm_panels(ck_kernels_current(), c->out_channels).width);
}
