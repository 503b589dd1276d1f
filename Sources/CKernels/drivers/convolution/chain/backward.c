// Backward of a chain. At each layer, backward reads `saved` as forward did, adds up the gradients of the weights, and
// folds the gradients of the members, row by row, into the plane of the gradient for the layer before. Two such planes
// take turns. Each lane adds up gradients of its own. The lanes of a group are added in order, and then the groups.

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
    int64_t layers, groups, places;
    int64_t member_floats, gradient_floats, slope_floats, sum_floats, weight_floats; // of a place
    int64_t row_floats;                                                              // of a worker
    int64_t part_floats;                                                             // of a group
} backward_plan;

static backward_plan plan_of(const ck_convolution_chain *chain, int64_t lanes) {
    backward_plan plan = {.sizes = ck_chain_sizes(chain), .layers = chain->layer_count};
    const chain_sizes *sizes = &plan.sizes;
    plan.groups = divide_up(chain->batch, lanes);
    plan.places = ck_worker_limit(plan.groups);
    plan.member_floats = round_up(sizes->members * lanes, 16);
    plan.gradient_floats = round_up(sizes->gradient_plane * lanes, 16);
    plan.slope_floats = round_up(sizes->slopes * lanes, 16);
    plan.sum_floats = round_up((sizes->weights + sizes->slopes) * lanes, 16);
    plan.weight_floats = round_up(sizes->weights, 16);
    plan.row_floats = round_up(sizes->row * lanes, 16);
    plan.part_floats = sizes->parameters;
    return plan;
}

// Two layers take turns with the planes of gradients. Where threads share a group, two layers take turns with the sums
// and with the weights, too.
typedef struct backward_memory {
    chain_schedule schedule;
    float *members, *gradient_planes, *slopes, *sums, *weights, *rows, *parts;
    size_t size;
} backward_memory;

static backward_memory memory_of(const backward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    backward_memory memory;
    memory.schedule = chain_take_schedule(&parts, plan->layers);
    memory.members = take_floats(&parts, plan->places * plan->member_floats);
    memory.gradient_planes = take_floats(&parts, plan->places * 2 * plan->gradient_floats);
    memory.slopes = take_floats(&parts, plan->places * plan->slope_floats);
    memory.sums = take_floats(&parts, plan->places * 2 * plan->sum_floats);
    memory.weights = take_floats(&parts, plan->places * 2 * plan->weight_floats);
    memory.rows = take_floats(&parts, ck_most_workers() * 2 * plan->row_floats);
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

// A layer of a group. Of memory that two layers share, it has its own half.
typedef struct backward_layer {
    const backward_call *call;
    const ck_convolution *c;
    int64_t number;
    chain_group group;
    int64_t lanes;
    chain_parameters at;
    chain_input input;
    const float *z, *elements;       // of the layer's input: the plane, and the plane that windows are in
    chain_plane gradient_plane;      // of its output
    float *gradient, *next_gradient; // of its output, and of the output before
    float *members, *slopes;
    float *sums, *weights;
    float *part; // of the gradients of its parameters
    float *row, *folded_row;
} backward_layer;

static bool shares_groups(const backward_call *call) { return call->memory.schedule.sharers > 1; }

static chain_plane gradient_plane_of(const ck_convolution_chain *chain, int64_t layer) {
    return ck_chain_gradient_plane(&chain->layers[layer].convolution, layer > 0 || chain->gives_input_gradient);
}

static backward_layer layer_of(const backward_call *call, int64_t number, int64_t group, int64_t place, int worker) {
    const ck_convolution_chain *chain = call->chain;
    const backward_plan *plan = &call->plan;
    const backward_memory *memory = &call->memory;
    const chain_place *at = &memory->schedule.places[number];
    const int64_t lanes = chain_lanes(call->kernels), half = number % 2;
    // One thread finishes a layer before the next, and finds the same memory in its cache.
    const int64_t turn = shares_groups(call) ? half : 0;
    float *const planes = memory->gradient_planes + place * 2 * plan->gradient_floats;
    backward_layer layer = {
        .call = call,
        .c = &chain->layers[number].convolution,
        .number = number,
        .group = chain_group_of(chain->batch, lanes, group),
        .lanes = lanes,
        .at = ck_chain_parameters(&chain->layers[number], at->parameter),
        .z = call->saved + group * plan->sizes.saved * lanes + at->z,
        .gradient_plane = gradient_plane_of(chain, number),
        .gradient = planes + half * plan->gradient_floats,
        .next_gradient = planes + (1 - half) * plan->gradient_floats,
        .members = memory->members + place * plan->member_floats,
        .slopes = memory->slopes + place * plan->slope_floats,
        .sums = memory->sums + (place * 2 + turn) * plan->sum_floats,
        .weights = memory->weights + (place * 2 + turn) * plan->weight_floats,
        .part = memory->parts + group * plan->part_floats + at->gradients,
        .row = memory->rows + worker * 2 * plan->row_floats,
    };
    layer.input = ck_chain_input(call->kernels, layer.c);
    layer.elements = layer.input.forms_members ? layer.members : layer.z;
    layer.folded_row = layer.row + plan->row_floats;
    return layer;
}

static bool gives_input_gradient(const backward_layer *layer) {
    return layer->number > 0 || layer->call->chain->gives_input_gradient;
}

static int64_t sum_count(const backward_layer *layer) {
    const int64_t slopes = gives_input_gradient(layer) ? chain_slope_count(layer->c) : 0;
    return chain_weight_count(layer->c) + layer->c->out_channels + slopes;
}

static int64_t band_rows_of(const ck_convolution *c, const chain_windows *windows, int64_t gradient_row) {
    return max_of(BAND_FLOATS / (windows->in_run * c->stride_h + gradient_row), 1);
}

// Neighbouring elements of a run whose sums one call of a tile adds up at once, and how many such blocks a layer has.
static int64_t block_elements(const backward_layer *layer) {
    return layer->call->kernels->chain.gradient_terms / (layer->input.windows.reading == CHAIN_MIRRORED ? 2 : 1);
}

static int64_t run_blocks(const backward_layer *layer) {
    return divide_up(layer->input.windows.taps * layer->input.windows.channels, block_elements(layer));
}

static void add_bias_gradients(const backward_layer *layer, chain_range rows) {
    float *bias = layer->sums + chain_weight_count(layer->c) * layer->lanes;
    ck_count_floats((rows.end - rows.first) * layer->c->out_width * layer->c->out_channels * layer->lanes);
    for (int64_t y = rows.first; y < rows.end; y++)
        layer->call->kernels->chain.add_columns(
            layer->c->out_width, layer->c->out_channels,
            layer->gradient + chain_plane_row(&layer->gradient_plane, y, layer->lanes), bias);
}

// Adds up the gradients of the weights of these blocks: sums[kernel_h][kernel_w·K][N]. Block b is number b % run_blocks
// of run b / run_blocks. The bias is added up band by band, too, if `bias`.
static void add_weight_gradients(const backward_layer *layer, chain_range blocks, bool bias) {
    const ck_convolution *c = layer->c;
    const chain_windows *windows = &layer->input.windows;
    const int64_t gradient_row = layer->gradient_plane.columns * layer->gradient_plane.depth * layer->lanes;
    const int64_t run_sums = c->kernel_w * convolution_depth(c) * c->out_channels * layer->lanes;
    const int64_t elements = windows->taps * windows->channels, of_block = block_elements(layer);
    const int64_t of_run = run_blocks(layer), band = band_rows_of(c, windows, gradient_row);
    for (int64_t first = 0; first < c->out_height; first += band) {
        const int64_t rows = min_of(band, c->out_height - first);
        const float *d = layer->gradient + chain_plane_row(&layer->gradient_plane, first, layer->lanes);
        for (int64_t ky = blocks.first / of_run; ky * of_run < blocks.end; ky++) {
            const int64_t begin = max_of(blocks.first - ky * of_run, 0) * of_block;
            const int64_t end = min_of((blocks.end - ky * of_run) * of_block, elements);
            ck_count_operations(2 * rows * c->out_width * run_sums * (end - begin) / elements);
            layer->call->kernels->chain.weight_gradients(
                windows, begin, end - begin, rows, layer->elements + (first * c->stride_h + ky) * windows->in_run,
                c->stride_h * windows->in_run, d, gradient_row, layer->sums + ky * run_sums);
        }
        if (bias) add_bias_gradients(layer, (chain_range){first, first + rows});
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
static void reverse_weights(const backward_layer *layer) {
    const ck_convolution *c = layer->c;
    const float *weights = layer->call->parameters[layer->at.weights];
    float *reversed = layer->weights;
    const int64_t depth = convolution_depth(c), outputs = c->out_channels, taps = c->kernel_h * c->kernel_w;
    ck_count_floats(2 * chain_weight_count(c));
    for (int64_t k = 0; k < depth; k++) {
        const int64_t place = gradient_place(layer->input.windows.reading, c->channels, k);
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t n = 0; n < outputs; n++)
                reversed[(tap * outputs + n) * depth + place] = weights[((taps - 1 - tap) * depth + k) * outputs + n];
    }
}

// The gradient of the first layer's input: a row of elements to the rows of images.
static void write_input_gradient(const backward_layer *layer, int64_t y) {
    const backward_call *call = layer->call;
    const int64_t count = layer->c->width * layer->c->channels, size = chain_input_size(layer->c);
    float *target = call->dz0 + y * count;
    if (!call->accumulate) {
        ck_chain_scatter(call->kernels, layer->group, layer->folded_row, count, target, size);
        return;
    }
    // layer->row has been folded, and has room.
    const chain_group here = {0, layer->group.images};
    ck_chain_scatter(call->kernels, here, layer->folded_row, count, layer->row, count);
    call->kernels->elementwise.copy_rows(
        layer->group.images, count, layer->row, count, target + layer->group.first_image * size, size, true);
}

// The borders of the plane of next_gradient around these rows of the image. If the plane had this shape before, only
// its image has been written since.
static void clear_next_borders(const backward_layer *layer, const chain_plane *next, chain_range rows) {
    const ck_convolution_chain *chain = layer->call->chain;
    chain_plane before = {0};
    if (layer->number + 1 < chain->layer_count) before = gradient_plane_of(chain, layer->number + 1);
    if (memcmp(next, &before, sizeof before) != 0)
        ck_chain_clear_borders(next, rows, layer->next_gradient, layer->lanes);
}

// Backward-data of some rows. The gradient goes into the plane of the layer before, or into dz0.
static void convolve_gradient(const backward_layer *layer, chain_range rows) {
    const backward_call *call = layer->call;
    const ck_convolution *c = layer->c;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = layer->lanes;
    const chain_windows windows = {
        .columns = c->width,
        .outputs = convolution_depth(c),
        .runs = c->kernel_h,
        .taps = c->kernel_w,
        .channels = c->out_channels,
        .in_run = layer->gradient_plane.columns * layer->gradient_plane.depth * lanes,
        .in_step = c->out_channels * lanes,
    };
    const chain_reading reading = layer->input.windows.reading;
    const float *slopes = layer->at.slopes < 0 ? NULL : layer->slopes;
    float *slope_sums = layer->sums + (chain_weight_count(c) + c->out_channels) * lanes;
    chain_plane next = {0};
    if (layer->number > 0) {
        next = gradient_plane_of(call->chain, layer->number - 1);
        clear_next_borders(layer, &next, rows);
    }
    chain_count_products(c, (rows.end - rows.first) * c->width, lanes);
    for (int64_t y = rows.first; y < rows.end; y++) {
        const float *in = layer->gradient + y * windows.in_run;
        const float *z_row = layer->z + chain_plane_row(&layer->input.z, y, lanes);
        float *target = layer->number > 0 ? layer->next_gradient + chain_plane_row(&next, y, lanes) : layer->folded_row;
        if (reading != CHAIN_PLAIN) {
            kernels->chain.convolve_and_fold(reading, &windows, in, layer->weights, z_row, target);
        } else {
            kernels->chain.convolve(&windows, in, layer->weights, NULL, layer->row);
            int64_t slope_offset;
            const activation_block block = ck_chain_row_block(c, lanes, y, &slope_offset);
            kernels->activation.backward(
                &c->activation, &block, z_row, slopes == NULL ? NULL : slopes + slope_offset, layer->row, target, false,
                slopes == NULL ? NULL : slope_sums + slope_offset);
        }
        if (layer->number == 0 && call->dz0 != NULL) write_input_gradient(layer, y);
    }
}

// The gradient of the last layer's output.
static void gather_rows(const backward_layer *layer, chain_range rows) {
    const int64_t row = layer->c->out_width * layer->c->out_channels;
    ck_chain_clear_borders(&layer->gradient_plane, rows, layer->gradient, layer->lanes);
    for (int64_t y = rows.first; y < rows.end; y++)
        ck_chain_gather(
            layer->call->kernels, layer->group, layer->call->dy + y * row, chain_output_size(layer->c), row,
            layer->gradient + chain_plane_row(&layer->gradient_plane, y, layer->lanes));
}

static void clear_sums(const backward_layer *layer) {
    ck_count_floats(sum_count(layer) * layer->lanes);
    memset(layer->sums, 0, (size_t)(sum_count(layer) * layer->lanes) * sizeof(float));
}

static void sum_lanes(const backward_layer *layer) {
    ck_count_floats(sum_count(layer) * layer->lanes);
    layer->call->kernels->chain.sum_images(sum_count(layer), layer->group.images, layer->sums, layer->part);
}

// The tasks of a group in a layer's own stage: three short ones, then blocks of weights, then rows.
enum { SUMS_TASK, REVERSAL_TASK, BIAS_TASK, SHORT_TASKS };

static void add_layer_stage(const backward_call *call, int64_t number, chain_schedule *schedule) {
    const backward_layer layer = layer_of(call, number, 0, 0, 0);
    const ck_convolution *c = layer.c;
    const int64_t weights = chain_pieces(schedule, c->kernel_h * run_blocks(&layer));
    int64_t rows = 0;
    if (gives_input_gradient(&layer)) {
        // Rows add to the gradients of the slopes that they share, in order.
        const bool shares_slopes = layer.at.slopes >= 0 && c->activation.slope_sharing == CK_SLOPES_PER_CHANNEL;
        rows = shares_slopes ? 1 : chain_pieces(schedule, c->height);
    }
    chain_add_stage(schedule, CHAIN_LAYER, number, SHORT_TASKS + weights + rows);
    schedule->stages[schedule->stage_count - 1].weight_pieces = weights;
}

// A group on its way through the layers, with the memory of place `place`.
typedef struct backward_group {
    const backward_call *call;
    int64_t index, place;
    int worker;
} backward_group;

static backward_layer group_layer(const backward_group *group, int64_t number) {
    return layer_of(group->call, number, group->index, group->place, group->worker);
}

// Finishes the sums of the layer before in the pass, and clears those of the next.
static void turn_sums(const backward_group *group, int64_t number) {
    if (number + 1 < group->call->chain->layer_count) {
        const backward_layer done = group_layer(group, number + 1);
        sum_lanes(&done);
    }
    if (number == 0) return;
    const backward_layer next = group_layer(group, number - 1);
    clear_sums(&next);
}

static void reverse_next_weights(const backward_group *group, int64_t number) {
    if (number == 0) return;
    const backward_layer next = group_layer(group, number - 1);
    if (gives_input_gradient(&next)) reverse_weights(&next);
}

static void run_layer_piece(
    const backward_group *group, const backward_layer *layer, const chain_stage *stage, int64_t index) {
    const int64_t weights = stage->weight_pieces, first_rows = SHORT_TASKS + weights;
    if (index == SUMS_TASK) {
        turn_sums(group, layer->number);
    } else if (index == REVERSAL_TASK) {
        reverse_next_weights(group, layer->number);
    } else if (index == BIAS_TASK) {
        add_bias_gradients(layer, (chain_range){0, layer->c->out_height});
    } else if (index < first_rows) {
        const int64_t blocks = layer->c->kernel_h * run_blocks(layer);
        add_weight_gradients(layer, chain_piece(blocks, index - SHORT_TASKS, weights), false);
    } else {
        convolve_gradient(layer, chain_piece(layer->c->height, index - first_rows, stage->pieces - first_rows));
    }
}

// A layer of a group that no threads share.
static void run_layer(const backward_layer *layer) {
    clear_sums(layer);
    add_weight_gradients(layer, (chain_range){0, layer->c->kernel_h * run_blocks(layer)}, true);
    if (gives_input_gradient(layer)) {
        reverse_weights(layer);
        convolve_gradient(layer, (chain_range){0, layer->c->height});
    }
    sum_lanes(layer);
}

static void run_piece(const backward_group *group, const chain_stage *stage, int64_t index) {
    const backward_call *call = group->call;
    const backward_layer layer = group_layer(group, stage->layer);
    const ck_convolution *c = layer.c;
    switch (stage->step) {
    case CHAIN_GATHER:
        gather_rows(&layer, chain_piece(c->out_height, index, stage->pieces));
        if (index > 0 || !shares_groups(call)) break;
        clear_sums(&layer);
        if (gives_input_gradient(&layer)) reverse_weights(&layer);
        break;
    case CHAIN_SPREAD:
        chain_spread_slopes(
            call->kernels, call->parameters[layer.at.slopes], chain_piece(chain_slope_count(c), index, stage->pieces),
            layer.slopes);
        break;
    case CHAIN_FORM:
        ck_chain_form_members(
            call->kernels, c, &layer.input, chain_piece(c->height, index, stage->pieces), layer.z,
            layer.at.slopes < 0 ? NULL : layer.slopes, layer.members);
        break;
    case CHAIN_LAYER:
        if (shares_groups(call)) run_layer_piece(group, &layer, stage, index);
        else run_layer(&layer);
        break;
    case CHAIN_LANES: sum_lanes(&layer); break;
    }
}

static void run_group(void *context, int64_t index, int worker) {
    const backward_call *call = context;
    const chain_schedule *schedule = &call->memory.schedule;
    const backward_group group = {call, index, worker, worker};
    for (int64_t stage = 0; stage < schedule->stage_count; stage++) run_piece(&group, &schedule->stages[stage], 0);
}

// Adds the groups' parts of the gradients of one parameter.
static void sum_groups(const backward_call *call, int64_t offset, int64_t count, float *out) {
    add_parts(call->kernels, call->memory.parts + offset, call->plan.groups, call->plan.part_floats, count, out);
}

static void sum_layer(void *context, int64_t layer, int worker) {
    (void)worker;
    const backward_call *call = context;
    const chain_place *place = &call->memory.schedule.places[layer];
    const ck_convolution *c = &call->chain->layers[layer].convolution;
    const chain_parameters at = ck_chain_parameters(&call->chain->layers[layer], place->parameter);
    const int64_t weights = chain_weight_count(c);
    sum_groups(call, place->gradients, weights, call->gradients[at.weights]);
    if (at.bias >= 0) sum_groups(call, place->gradients + weights, c->out_channels, call->gradients[at.bias]);
    if (at.slopes >= 0 && (layer > 0 || call->chain->gives_input_gradient))
        sum_groups(
            call, place->gradients + weights + c->out_channels, chain_slope_count(c), call->gradients[at.slopes]);
}

// The stage after those of the groups: sums over groups.
static int64_t sum_pieces(const backward_call *call) {
    return chain_pieces(&call->memory.schedule, call->chain->layer_count);
}

static int64_t task_count(void *context, int64_t stage) {
    const backward_call *call = context;
    const chain_schedule *schedule = &call->memory.schedule;
    return stage == schedule->stage_count ? sum_pieces(call) : call->plan.groups * schedule->stages[stage].pieces;
}

static void run_task(void *context, int64_t stage, int64_t index, int worker) {
    const backward_call *call = context;
    const chain_schedule *schedule = &call->memory.schedule;
    if (stage == schedule->stage_count) {
        const chain_range layers = chain_piece(call->chain->layer_count, index, sum_pieces(call));
        for (int64_t layer = layers.first; layer < layers.end; layer++) sum_layer(context, layer, worker);
        return;
    }
    const int64_t pieces = schedule->stages[stage].pieces;
    const backward_group group = {call, index / pieces, index / pieces, worker};
    run_piece(&group, &schedule->stages[stage], index % pieces);
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
    const double work = 2 * ck_chain_work(chain);
    chain_schedule *schedule = &call.memory.schedule;
    ck_chain_begin_schedule(kernels, chain, work, schedule);
    const int64_t last = chain->layer_count - 1;
    chain_add_stage(schedule, CHAIN_GATHER, last, chain_pieces(schedule, chain->layers[last].convolution.out_height));
    for (int64_t layer = last; layer >= 0; layer--) {
        ck_chain_add_preparation(kernels, chain, layer, schedule);
        add_layer_stage(&call, layer, schedule);
    }
    if (shares_groups(&call)) {
        chain_add_stage(schedule, CHAIN_LANES, 0, 1);
        const ck_stages stages = {&call, schedule->stage_count + 1, task_count, run_task};
        ck_parallel_stages(&stages, ck_chain_most_tasks(schedule, plan->groups), work);
        return;
    }
    ck_parallel(plan->groups, work, run_group, &call);
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
