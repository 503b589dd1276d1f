// Forward of a chain. A task takes a group of images through all layers. The outputs of the last layer go into y, the
// outputs of the other layers into `saved`.

#include "drivers/convolution/chain/chain.h"

typedef struct forward_plan {
    chain_sizes sizes;
    int64_t groups, workers;
    int64_t member_floats, row_floats, slope_floats; // of a worker
} forward_plan;

static forward_plan plan_of(const ck_convolution_chain *chain, int64_t lanes) {
    forward_plan plan = {.sizes = ck_chain_sizes(chain), .groups = divide_up(chain->batch, lanes)};
    plan.workers = ck_worker_limit(plan.groups);
    plan.member_floats = round_up(plan.sizes.members * lanes, 16);
    plan.row_floats = round_up(plan.sizes.row * lanes, 16);
    plan.slope_floats = round_up(plan.sizes.slopes * lanes, 16);
    return plan;
}

typedef struct forward_memory {
    float *members, *rows, *slopes;
    size_t size;
} forward_memory;

static forward_memory memory_of(const forward_plan *plan, void *scratch) {
    scratch_parts parts = {.base = scratch};
    forward_memory memory;
    memory.members = take_floats(&parts, plan->workers * plan->member_floats);
    memory.rows = take_floats(&parts, plan->workers * plan->row_floats);
    memory.slopes = take_floats(&parts, plan->workers * plan->slope_floats);
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

static void forward_group(void *context, int64_t index, int worker) {
    const forward_call *call = context;
    const ck_convolution_chain *chain = call->chain;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = chain_lanes(kernels);
    const chain_group group = chain_group_of(chain->batch, lanes, index);
    float *members = call->memory.members + worker * call->plan.member_floats;
    float *last_row = call->memory.rows + worker * call->plan.row_floats;
    float *z = call->saved + index * call->plan.sizes.saved * lanes;

    chain_input input = ck_chain_input(kernels, &chain->layers[0].convolution);
    const int64_t first_row = input.z.width * input.z.depth;
    ck_chain_clear_borders(&input.z, z, lanes);
    for (int64_t y = 0; y < input.z.height; y++)
        ck_chain_gather(
            kernels, group, call->z0 + y * first_row, input.z.height * first_row, first_row,
            z + chain_plane_row(&input.z, y, lanes));

    int64_t parameter = 0;
    for (int64_t layer = 0; layer < chain->layer_count; layer++) {
        const ck_convolution *c = &chain->layers[layer].convolution;
        const bool last = layer == chain->layer_count - 1;
        const chain_parameters at = ck_chain_parameters(&chain->layers[layer], parameter);
        const float *weights = call->parameters[at.weights], *bias = at.bias < 0 ? NULL : call->parameters[at.bias];
        float *slopes = NULL;
        if (at.slopes >= 0) {
            slopes = call->memory.slopes + worker * call->plan.slope_floats;
            kernels->chain.spread(chain_slope_count(c), call->parameters[at.slopes], slopes);
        }
        const float *elements = ck_chain_window_elements(kernels, c, &input, z, slopes, members);
        const chain_windows windows = input.windows;
        float *next = z + chain_plane_size(&input.z) * lanes;
        if (!last) {
            input = ck_chain_input(kernels, &chain->layers[layer + 1].convolution);
            ck_chain_clear_borders(&input.z, next, lanes);
        }
        const int64_t row = c->out_width * c->out_channels;
        for (int64_t y = 0; y < c->out_height; y++) {
            float *out = last ? last_row : next + chain_plane_row(&input.z, y, lanes);
            kernels->chain.convolve(&windows, elements + y * c->stride_h * windows.in_run, weights, bias, out);
            if (last) ck_chain_scatter(kernels, group, out, row, call->y + y * row, chain_output_size(c));
        }
        z = next;
        parameter = at.end;
    }
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
    ck_parallel(call.plan.groups, ck_chain_work(chain), forward_group, &call);
}
