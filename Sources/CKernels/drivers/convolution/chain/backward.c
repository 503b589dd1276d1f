// Backward of a chain. A task takes a group of images back through all layers. At each layer, the task reads `saved` as
// forward did, adds up the gradients of the weights, and folds the gradients of the members, row by row, into the plane
// of the gradient for the layer before. Two such planes take turns. Each lane adds up gradients of its own. The lanes
// of a group are added in order, and then the groups.

#include <string.h>

#include "drivers/convolution/chain/chain.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/parts.h"

// The windows and gradients of a band of rows. Each sum of a layer passes over the band in turn. The band fits L1,
// because a pass takes seven or ten loads for 24 multiply-adds. With bands of one row, sums would be loaded and stored
// too often; a long row is a band nevertheless.
enum { BAND_FLOATS = 9 << 10 };

typedef struct backward_plan {
    chain_sizes sizes;
    int64_t groups, workers;
    int64_t member_floats, gradient_floats, row_floats, slope_floats, sum_floats, weight_floats, part_floats;
} backward_plan;

static backward_plan plan_of(const ck_convolution_chain *chain, int64_t lanes) {
    backward_plan plan = {.sizes = ck_chain_sizes(chain), .groups = divide_up(chain->batch, lanes)};
    const chain_sizes *sizes = &plan.sizes;
    plan.workers = ck_worker_limit(plan.groups);
    plan.member_floats = round_up(sizes->members * lanes, 16);
    plan.gradient_floats = round_up(sizes->gradient_plane * lanes, 16);
    plan.row_floats = round_up(sizes->row * lanes, 16);
    plan.slope_floats = round_up(sizes->slopes * lanes, 16);
    plan.sum_floats = round_up((sizes->weights + sizes->slopes) * lanes, 16);
    plan.weight_floats = round_up(sizes->weights, 16);
    plan.part_floats = sizes->parameters;
    return plan;
}

typedef struct backward_memory {
    float *members, *gradient_planes, *rows, *slopes, *sums, *weights, *parts;
    size_t size;
} backward_memory;

static backward_memory memory_of(const backward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.members = take_floats(&parts, plan->workers * plan->member_floats);
    memory.gradient_planes = take_floats(&parts, plan->workers * 2 * plan->gradient_floats);
    memory.rows = take_floats(&parts, plan->workers * 2 * plan->row_floats);
    memory.slopes = take_floats(&parts, plan->workers * plan->slope_floats);
    memory.sums = take_floats(&parts, plan->workers * plan->sum_floats);
    memory.weights = take_floats(&parts, plan->workers * plan->weight_floats);
    memory.parts = take_floats(&parts, plan->groups * plan->part_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_chain_backward_scratch(const ck_convolution_chain *chain, int64_t lanes) {
    const backward_plan plan = plan_of(chain, lanes);
    return memory_of(&plan, NULL).size;
}

typedef struct backward_call {
    const ck_convolution_chain *chain;
    const ck_kernels *kernels;
    backward_plan plan;
    const float *const *parameters;
    const float *dy, *saved;
    float *dz0;
    bool accumulate;
    backward_memory memory;
    float *const *gradients;
} backward_call;

// The state of a task while it goes through the layers.
typedef struct backward_state {
    const backward_call *call;
    chain_group group;
    int64_t lanes;
    float *members;                  // of the layer's input, where they are formed
    float *gradient, *next_gradient; // of its output, and the output before
    float *row, *folded_row;
    float *slopes, *sums, *weights;
} backward_state;

static int64_t band_rows_of(const ck_convolution *c, const chain_windows *windows, int64_t gradient_row) {
    return max_of(BAND_FLOATS / (windows->in_run * c->stride_h + gradient_row), 1);
}

// Adds up the gradients of weights and bias in the state's sums: [kernel_h][kernel_w·K][N], then [N]. `elements` is the
// plane that windows are in.
static void add_weight_gradients(
    const backward_state *state, const ck_convolution *c, const chain_windows *windows, const float *elements,
    const chain_plane *gradient) {
    const chain_tiles *tiles = &state->call->kernels->chain;
    const int64_t lanes = state->lanes, gradient_row = gradient->columns * gradient->depth * lanes;
    float *bias = state->sums + chain_weight_count(c) * lanes;
    memset(state->sums, 0, (size_t)((chain_weight_count(c) + c->out_channels) * lanes) * sizeof(float));
    const int64_t band = band_rows_of(c, windows, gradient_row);
    for (int64_t first = 0; first < c->out_height; first += band) {
        const int64_t rows = min_of(band, c->out_height - first);
        const float *d = state->gradient + chain_plane_row(gradient, first, lanes);
        for (int64_t ky = 0; ky < c->kernel_h; ky++)
            tiles->weight_gradients(
                windows, rows, elements + (first * c->stride_h + ky) * windows->in_run, c->stride_h * windows->in_run,
                d, gradient_row, state->sums + ky * c->kernel_w * convolution_depth(c) * c->out_channels * lanes);
        for (int64_t y = 0; y < rows; y++)
            tiles->add_columns(c->out_width, c->out_channels, d + y * gradient_row, bias);
    }
}

// The place of the gradient of member k / C and channel k % C among the K outputs of backward-data. It is place k,
// unless a tile folds mirrored members: then the gradients of both members are neighbours, two channels at a time.
static int64_t gradient_place(chain_reading folded, int64_t channels, int64_t k) {
    if (folded != CHAIN_MIRRORED) return k;
    const int64_t member = k / channels, channel = k % channels, pair = channel / 2 * 2;
    return 2 * pair + member * min_of(2, channels - pair) + channel - pair;
}

// The weights for backward-data, [kernel_h][kernel_w][N][K], with the taps in reverse and the members of K in their
// places.
static void reverse_weights(const ck_convolution *c, chain_reading folded, const float *weights, float *reversed) {
    const int64_t depth = convolution_depth(c), outputs = c->out_channels, taps = c->kernel_h * c->kernel_w;
    for (int64_t k = 0; k < depth; k++) {
        const int64_t place = gradient_place(folded, c->channels, k);
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t n = 0; n < outputs; n++)
                reversed[(tap * outputs + n) * depth + place] = weights[((taps - 1 - tap) * depth + k) * outputs + n];
    }
}

// The gradient of the first layer's input: a row of elements to the rows of images.
static void write_input_gradient(const backward_state *state, const ck_convolution *c, int64_t y) {
    const backward_call *call = state->call;
    const int64_t count = c->width * c->channels, size = chain_input_size(c);
    float *target = call->dz0 + y * count;
    if (!call->accumulate) {
        ck_chain_scatter(call->kernels, state->group, state->folded_row, count, target, size);
        return;
    }
    // state->row has been folded, and has room.
    const chain_group here = {0, state->group.images};
    ck_chain_scatter(call->kernels, here, state->folded_row, count, state->row, count);
    call->kernels->elementwise.copy_rows(
        state->group.images, count, state->row, count, target + state->group.first_image * size, size, true);
}

// Backward-data of a layer. The gradient goes into the plane `before`, or into dz0 if `before` is NULL.
static void convolve_gradient(
    const backward_state *state, const ck_convolution *c, const chain_plane *gradient, const chain_input *input,
    const float *z, const float *slopes, const chain_plane *before) {
    const backward_call *call = state->call;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = state->lanes;
    const chain_windows windows = {
        .columns = c->width,
        .outputs = convolution_depth(c),
        .runs = c->kernel_h,
        .taps = c->kernel_w,
        .channels = c->out_channels,
        .in_run = gradient->columns * gradient->depth * lanes,
        .in_step = c->out_channels * lanes,
    };
    float *slope_sums = state->sums + (chain_weight_count(c) + c->out_channels) * lanes;
    if (slopes != NULL) memset(slope_sums, 0, (size_t)(chain_slope_count(c) * lanes) * sizeof(float));
    for (int64_t y = 0; y < c->height; y++) {
        const float *in = state->gradient + y * windows.in_run, *z_row = z + chain_plane_row(&input->z, y, lanes);
        float *target = before != NULL ? state->next_gradient + chain_plane_row(before, y, lanes) : state->folded_row;
        if (input->windows.reading != CHAIN_PLAIN) {
            kernels->chain.convolve_and_fold(input->windows.reading, &windows, in, state->weights, z_row, target);
        } else {
            kernels->chain.convolve(&windows, in, state->weights, NULL, state->row);
            int64_t slope_offset;
            const activation_block block = ck_chain_row_block(c, lanes, y, &slope_offset);
            kernels->activation.backward(
                &c->activation, &block, z_row, slopes == NULL ? NULL : slopes + slope_offset, state->row, target, false,
                slopes == NULL ? NULL : slope_sums + slope_offset);
        }
        if (before == NULL && call->dz0 != NULL) write_input_gradient(state, c, y);
    }
}

static void backward_group(void *context, int64_t index, int worker) {
    const backward_call *call = context;
    const ck_convolution_chain *chain = call->chain;
    const backward_plan *plan = &call->plan;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = chain_lanes(kernels);
    backward_state state = {
        .call = call,
        .group = chain_group_of(chain->batch, lanes, index),
        .lanes = lanes,
        .members = call->memory.members + worker * plan->member_floats,
        .gradient = call->memory.gradient_planes + worker * 2 * plan->gradient_floats,
        .row = call->memory.rows + worker * 2 * plan->row_floats,
        .slopes = call->memory.slopes + worker * plan->slope_floats,
        .sums = call->memory.sums + worker * plan->sum_floats,
        .weights = call->memory.weights + worker * plan->weight_floats,
    };
    state.next_gradient = state.gradient + plan->gradient_floats;
    state.folded_row = state.row + plan->row_floats;

    int64_t parameter = 0;
    for (int64_t i = 0; i < chain->layer_count; i++) parameter = ck_chain_parameters(&chain->layers[i], parameter).end;
    const float *z = call->saved + (index + 1) * plan->sizes.saved * lanes;
    float *part = call->memory.parts + (index + 1) * plan->part_floats;

    const ck_convolution *last = &chain->layers[chain->layer_count - 1].convolution;
    chain_plane gradient = ck_chain_gradient_plane(last, chain->layer_count > 1 || chain->gives_input_gradient);
    chain_plane next_shape = {0};
    const int64_t row = last->out_width * last->out_channels;
    ck_chain_clear_borders(&gradient, state.gradient, lanes);
    for (int64_t y = 0; y < last->out_height; y++)
        ck_chain_gather(
            kernels, state.group, call->dy + y * row, chain_output_size(last), row,
            state.gradient + chain_plane_row(&gradient, y, lanes));

    for (int64_t layer = chain->layer_count - 1; layer >= 0; layer--) {
        const ck_convolution *c = &chain->layers[layer].convolution;
        const int64_t slope_count = chain_slope_count(c), weight_count = chain_weight_count(c) + c->out_channels;
        parameter -= ck_chain_parameters(&chain->layers[layer], 0).end;
        const chain_parameters at = ck_chain_parameters(&chain->layers[layer], parameter);
        const chain_input input = ck_chain_input(kernels, c);
        z -= chain_plane_size(&input.z) * lanes;
        part -= weight_count + slope_count;
        const float *slopes = NULL;
        if (at.slopes >= 0) {
            kernels->chain.spread(slope_count, call->parameters[at.slopes], state.slopes);
            slopes = state.slopes;
        }
        const float *elements = ck_chain_window_elements(kernels, c, &input, z, slopes, state.members);
        add_weight_gradients(&state, c, &input.windows, elements, &gradient);
        int64_t sum_count = weight_count;
        if (layer > 0 || chain->gives_input_gradient) {
            chain_plane before = {0};
            if (layer > 0)
                before = ck_chain_gradient_plane(
                    &chain->layers[layer - 1].convolution, layer > 1 || chain->gives_input_gradient);
            // If the plane had this shape before, only its image has been written since.
            if (layer > 0 && memcmp(&before, &next_shape, sizeof before) != 0)
                ck_chain_clear_borders(&before, state.next_gradient, lanes);
            reverse_weights(c, input.windows.reading, call->parameters[at.weights], state.weights);
            convolve_gradient(&state, c, &gradient, &input, z, slopes, layer > 0 ? &before : NULL);
            sum_count += slope_count;
            float *const done = state.gradient;
            state.gradient = state.next_gradient;
            state.next_gradient = done;
            next_shape = gradient;
            gradient = before;
        }
        kernels->chain.sum_images(sum_count, state.group.images, state.sums, part);
    }
}

// Adds the groups' parts of all gradients of one layer.
static void sum_groups(const backward_call *call, int64_t offset, int64_t count, float *out) {
    add_parts(call->kernels, call->memory.parts + offset, call->plan.groups, call->plan.part_floats, count, out);
}

static void sum_layer(void *context, int64_t layer, int worker) {
    (void)worker;
    const backward_call *call = context;
    int64_t parameter = 0, offset = 0;
    for (int64_t i = 0; i < layer; i++) {
        const ck_convolution *c = &call->chain->layers[i].convolution;
        parameter = ck_chain_parameters(&call->chain->layers[i], parameter).end;
        offset += chain_weight_count(c) + c->out_channels + chain_slope_count(c);
    }
    const ck_convolution *c = &call->chain->layers[layer].convolution;
    const chain_parameters at = ck_chain_parameters(&call->chain->layers[layer], parameter);
    const int64_t weights = chain_weight_count(c);
    sum_groups(call, offset, weights, call->gradients[at.weights]);
    if (at.bias >= 0) sum_groups(call, offset + weights, c->out_channels, call->gradients[at.bias]);
    if (at.slopes >= 0 && (layer > 0 || call->chain->gives_input_gradient))
        sum_groups(call, offset + weights + c->out_channels, chain_slope_count(c), call->gradients[at.slopes]);
}

void ck_convolution_chain_backward(
    const ck_convolution_chain *chain, const float *const *parameters, const float *dy, const void *saved, float *dz0,
    bool accumulate, float *const *gradients, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    backward_call call = {
        .chain = chain,
        .kernels = kernels,
        .plan = plan_of(chain, chain_lanes(kernels)),
        .parameters = parameters,
        .dy = dy,
        .saved = saved,
        .dz0 = dz0,
        .accumulate = accumulate,
        .gradients = gradients};
    const backward_plan *plan = &call.plan;
    call.memory = memory_of(plan, scratch);
    ck_parallel(plan->groups, 2 * ck_chain_work(chain), backward_group, &call);
    const double sum_work = 4.0 * (double)(plan->groups + 1) * (double)plan->part_floats;
    ck_parallel(chain->layer_count, sum_work, sum_layer, &call);
}

ck_plan ck_convolution_chain_plan(const ck_convolution_chain *chain) {
    const ck_kernels *kernels = ck_kernels_current();
    const int64_t lanes = chain_lanes(kernels);
    // The bands of the layer with the longest rows are the lowest ones.
    int64_t height = 1, band = INT64_MAX;
    for (int64_t i = 0; i < chain->layer_count; i++) {
        const ck_convolution *c = &chain->layers[i].convolution;
        const chain_windows windows = ck_chain_input(kernels, c).windows;
        const chain_plane gradient = ck_chain_gradient_plane(c, i > 0 || chain->gives_input_gradient);
        const int64_t rows = band_rows_of(c, &windows, gradient.columns * gradient.depth * lanes);
        if (rows < band) band = rows, height = c->out_height;
    }
    ck_plan loops = {0};
    add_loop(&loops, "groups of images", chain->batch, lanes);
    add_loop(&loops, "bands of rows", height, band);
    return loops;
}
