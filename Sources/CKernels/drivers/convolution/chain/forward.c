// Forward of a chain. The outputs of the last layer go into y, the outputs of the other layers into `saved`.

#include "drivers/convolution/chain/chain.h"

typedef struct forward_plan {
    chain_sizes sizes;
    int64_t layers, groups, places;
    int64_t member_floats, slope_floats; // of a place
    int64_t row_floats;                  // of a worker
} forward_plan;

static forward_plan plan_of(const ck_convolution_chain *chain, int64_t lanes) {
    forward_plan plan = {.sizes = ck_chain_sizes(chain), .layers = chain->layer_count};
    plan.groups = divide_up(chain->batch, lanes);
    plan.places = ck_worker_limit(plan.groups);
    plan.member_floats = round_up(plan.sizes.members * lanes, 16);
    plan.slope_floats = round_up(plan.sizes.slopes * lanes, 16);
    plan.row_floats = round_up(plan.sizes.row * lanes, 16);
    return plan;
}

typedef struct forward_memory {
    chain_schedule schedule;
    float *members, *slopes, *rows;
    size_t size;
} forward_memory;

static forward_memory memory_of(const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.schedule = chain_take_schedule(&parts, plan->layers);
    memory.members = take_floats(&parts, plan->places * plan->member_floats);
    memory.slopes = take_floats(&parts, plan->places * plan->slope_floats);
    memory.rows = take_floats(&parts, ck_most_workers() * plan->row_floats);
    memory.size = parts.size;
    return memory;
}

size_t ck_chain_forward_scratch(const ck_convolution_chain *chain, int64_t lanes) {
    const forward_plan plan = plan_of(chain, lanes);
    return memory_of(&plan, NULL).size;
}

typedef struct forward_call {
    const ck_convolution_chain *chain;
    const ck_kernels *kernels;
    forward_plan plan;
    const float *z0;
    const float *const *parameters;
    float *y, *saved;
    forward_memory memory;
} forward_call;

// A group on its way through the layers. Its planes are those of place `place`.
typedef struct forward_state {
    const forward_call *call;
    chain_group group;
    float *z; // of the first layer
    float *members, *slopes, *row;
} forward_state;

static forward_state state_of(const forward_call *call, int64_t index, int64_t place, int worker) {
    const int64_t lanes = chain_lanes(call->kernels);
    return (forward_state){
        .call = call,
        .group = chain_group_of(call->chain->batch, lanes, index),
        .z = call->saved + index * call->plan.sizes.saved * lanes,
        .members = call->memory.members + place * call->plan.member_floats,
        .slopes = call->memory.slopes + place * call->plan.slope_floats,
        .row = call->memory.rows + worker * call->plan.row_floats,
    };
}

static void gather_rows(const forward_state *state, chain_range rows) {
    const ck_kernels *kernels = state->call->kernels;
    const int64_t lanes = chain_lanes(kernels);
    const chain_plane plane = ck_chain_input(kernels, &state->call->chain->layers[0].convolution).z;
    const int64_t row = plane.width * plane.depth;
    ck_chain_clear_borders(&plane, rows, state->z, lanes);
    for (int64_t y = rows.first; y < rows.end; y++)
        ck_chain_gather(
            kernels, state->group, state->call->z0 + y * row, plane.height * row, row,
            state->z + chain_plane_row(&plane, y, lanes));
}

// Rows of the outputs of a layer.
static void convolve_rows(const forward_state *state, int64_t layer, chain_range rows) {
    const forward_call *call = state->call;
    const ck_convolution_chain *chain = call->chain;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = chain_lanes(kernels);
    const ck_convolution *c = &chain->layers[layer].convolution;
    const chain_place *places = call->memory.schedule.places;
    const chain_parameters at = ck_chain_parameters(&chain->layers[layer], places[layer].parameter);
    const float *weights = call->parameters[at.weights], *bias = at.bias < 0 ? NULL : call->parameters[at.bias];
    const chain_input input = ck_chain_input(kernels, c);
    const chain_windows windows = input.windows;
    const float *elements = input.forms_members ? state->members : state->z + places[layer].z;
    const bool last = layer == chain->layer_count - 1;
    float *next = state->z + places[layer + 1].z;
    chain_plane next_plane = {0};
    if (!last) {
        next_plane = ck_chain_input(kernels, &chain->layers[layer + 1].convolution).z;
        ck_chain_clear_borders(&next_plane, rows, next, lanes);
    }
    const int64_t row = c->out_width * c->out_channels;
    chain_count_products(c, (rows.end - rows.first) * c->out_width, lanes);
    for (int64_t y = rows.first; y < rows.end; y++) {
        float *out = last ? state->row : next + chain_plane_row(&next_plane, y, lanes);
        kernels->chain.convolve(&windows, elements + y * c->stride_h * windows.in_run, weights, bias, out);
        if (last) ck_chain_scatter(kernels, state->group, out, row, call->y + y * row, chain_output_size(c));
    }
}

static void run_piece(const forward_state *state, const chain_stage *stage, int64_t index) {
    const forward_call *call = state->call;
    const chain_place *place = &call->memory.schedule.places[stage->layer];
    const ck_chain_layer *layer = &call->chain->layers[stage->layer];
    const ck_convolution *c = &layer->convolution;
    if (stage->step == CHAIN_GATHER) {
        gather_rows(state, chain_piece(c->height, index, stage->pieces));
    } else if (stage->step == CHAIN_SPREAD) {
        chain_spread_slopes(
            call->kernels, call->parameters[ck_chain_parameters(layer, place->parameter).slopes],
            chain_piece(chain_slope_count(c), index, stage->pieces), state->slopes);
    } else if (stage->step == CHAIN_FORM) {
        const chain_input input = ck_chain_input(call->kernels, c);
        ck_chain_form_members(
            call->kernels, c, &input, chain_piece(c->height, index, stage->pieces), state->z + place->z, state->slopes,
            state->members);
    } else {
        convolve_rows(state, stage->layer, chain_piece(c->out_height, index, stage->pieces));
    }
}

static void run_group(void *context, int64_t index, int worker) {
    const forward_call *call = context;
    const chain_schedule *schedule = &call->memory.schedule;
    const forward_state state = state_of(call, index, worker, worker);
    for (int64_t stage = 0; stage < schedule->stage_count; stage++) run_piece(&state, &schedule->stages[stage], 0);
}

static int64_t task_count(void *context, int64_t stage) {
    const forward_call *call = context;
    return call->plan.groups * call->memory.schedule.stages[stage].pieces;
}

static void run_task(void *context, int64_t stage, int64_t index, int worker) {
    const forward_call *call = context;
    const chain_stage *chosen = &call->memory.schedule.stages[stage];
    const int64_t group = index / chosen->pieces;
    const forward_state state = state_of(call, group, group, worker);
    run_piece(&state, chosen, index % chosen->pieces);
}

void ck_convolution_chain_forward(
    const ck_convolution_chain *chain, const float *z0, const float *const *parameters, float *y, void *saved,
    void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    forward_call call = {
        .chain = chain,
        .kernels = kernels,
        .plan = plan_of(chain, chain_lanes(kernels)),
        .z0 = z0,
        .parameters = parameters,
        .y = y,
        .saved = saved};
    call.memory = memory_of(&call.plan, scratch);
    const double work = ck_chain_work(chain);
    chain_schedule *schedule = &call.memory.schedule;
    ck_chain_begin_schedule(kernels, chain, work, schedule);
    chain_add_stage(schedule, CHAIN_GATHER, 0, chain_pieces(schedule, chain->layers[0].convolution.height));
    for (int64_t layer = 0; layer < chain->layer_count; layer++) {
        ck_chain_add_preparation(kernels, chain, layer, schedule);
        const int64_t rows = chain->layers[layer].convolution.out_height;
        chain_add_stage(schedule, CHAIN_LAYER, layer, chain_pieces(schedule, rows));
    }
    if (schedule->sharers == 1) {
        ck_parallel(call.plan.groups, work, run_group, &call);
    } else {
        const ck_stages stages = {&call, schedule->stage_count, task_count, run_task};
        ck_parallel_stages(&stages, ck_chain_most_tasks(schedule, call.plan.groups), work);
    }
}
