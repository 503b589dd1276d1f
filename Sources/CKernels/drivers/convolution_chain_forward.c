// Forward of a chain. A task takes a group of images through all layers. A row of outputs goes into `kept`, and its activation, while the row
// is in the cache, into the next layer's plane; two planes take turns. The last layer's rows go to y.

#include "drivers/convolution_chain.h"

typedef struct forward_plan {
    chain_sizes sizes;
    int64_t groups, workers;
    size_t planes, rows, slopes, size;
    int64_t plane_floats, row_floats, slope_floats; // of a worker
} forward_plan;

static forward_plan plan_of(const ck_convolution_chain *chain, int64_t lanes) {
    forward_plan plan = {.sizes = ck_chain_sizes(chain), .groups = divide_up(chain->batch, lanes)};
    plan.workers = ck_worker_limit(plan.groups);
    plan.plane_floats = round_up(plan.sizes.plane * lanes, 16);
    plan.row_floats = round_up(plan.sizes.row * lanes, 16);
    plan.slope_floats = round_up(plan.sizes.slopes * lanes, 16);
    plan.planes = scratch_take(&plan.size, plan.workers * 2 * plan.plane_floats * 4);
    plan.rows = scratch_take(&plan.size, plan.workers * plan.row_floats * 4);
    plan.slopes = scratch_take(&plan.size, plan.workers * plan.slope_floats * 4);
    return plan;
}

size_t ck_chain_forward_scratch(const ck_convolution_chain *chain, int64_t lanes) { return plan_of(chain, lanes).size; }

typedef struct forward_call {
    const ck_convolution_chain *chain;
    const ck_kernels *kernels;
    forward_plan plan;
    const float *z0;
    const float *const *parameters;
    float *y, *kept, *planes, *rows, *slopes;
} forward_call;

// Spreads a layer's slopes over lanes; NULL if it has none.
static const float *spread_slopes(const forward_call *call, int64_t layer, int64_t parameter, float *target) {
    if (parameter < 0) return NULL;
    call->kernels->chain.spread(
        chain_slope_count(&call->chain->layers[layer].convolution), call->parameters[parameter], target);
    return target;
}

static void forward_group(void *context, int64_t index, int worker) {
    const forward_call *call = context;
    const ck_convolution_chain *chain = call->chain;
    const ck_kernels *kernels = call->kernels;
    const int64_t lanes = chain_lanes(kernels);
    const chain_group group = chain_group_of(chain->batch, lanes, index);
    float *plane = call->planes + worker * 2 * call->plan.plane_floats, *next_plane = plane + call->plan.plane_floats;
    float *last_row = call->rows + worker * call->plan.row_floats;
    float *spread = call->slopes + worker * call->plan.slope_floats;
    float *z = call->kept + index * call->plan.sizes.kept * lanes;

    const ck_convolution *first = &chain->layers[0].convolution;
    const int64_t first_size = chain_input_size(first);
    const chain_plane first_plane = ck_chain_input_plane(first);
    chain_parameters at = ck_chain_parameters(&chain->layers[0], 0);
    const float *slopes = spread_slopes(call, 0, at.slopes, spread);
    ck_chain_gather(kernels, group, call->z0, first_size, first_size, z);
    ck_chain_clear_borders(&first_plane, plane, lanes);
    for (int64_t y = 0; y < first->height; y++)
        ck_chain_activate_row(
            kernels, first, z + y * first->width * first->channels * lanes, slopes, y,
            chain_plane_row(&first_plane, plane, y, lanes));

    for (int64_t layer = 0; layer < chain->layer_count; layer++) {
        const ck_convolution *c = &chain->layers[layer].convolution;
        const bool last = layer == chain->layer_count - 1;
        const ck_convolution *next = last ? NULL : &chain->layers[layer + 1].convolution;
        const chain_windows windows = ck_chain_windows(c, lanes);
        const float *weights = call->parameters[at.weights];
        const float *bias = at.bias < 0 ? NULL : call->parameters[at.bias];
        chain_plane target = {0};
        z += chain_input_size(c) * lanes;
        if (!last) {
            at = ck_chain_parameters(&chain->layers[layer + 1], at.end);
            slopes = spread_slopes(call, layer + 1, at.slopes, spread);
            target = ck_chain_input_plane(next);
            ck_chain_clear_borders(&target, next_plane, lanes);
        }
        const int64_t row = c->out_width * c->out_channels;
        for (int64_t y = 0; y < c->out_height; y++) {
            float *out = last ? last_row : z + y * row * lanes;
            kernels->chain.convolve(&windows, plane + y * c->stride_h * windows.in_run, weights, bias, out);
            if (last)
                ck_chain_scatter(kernels, group, out, row, call->y + y * row, chain_output_size(c));
            else
                ck_chain_activate_row(kernels, next, out, slopes, y, chain_plane_row(&target, next_plane, y, lanes));
        }
        float *const done = plane;
        plane = next_plane;
        next_plane = done;
    }
}

void ck_convolution_chain_forward(
    const ck_convolution_chain *chain, const float *z0, const float *const *parameters, float *y, void *kept, void *scratch) {
    const ck_kernels *kernels = ck_kernels_current();
    forward_call call = {
        .chain = chain, .kernels = kernels, .plan = plan_of(chain, chain_lanes(kernels)), .z0 = z0, .parameters = parameters,
        .y = y, .kept = kept};
    call.planes = scratch_floats(scratch, call.plan.planes);
    call.rows = scratch_floats(scratch, call.plan.rows);
    call.slopes = scratch_floats(scratch, call.plan.slopes);
    ck_parallel(call.plan.groups, ck_worker_limit(call.plan.groups), ck_chain_work(chain), forward_group, &call);
}
