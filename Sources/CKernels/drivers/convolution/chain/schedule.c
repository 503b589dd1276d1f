// How the threads of a call share a chain.

#include "drivers/convolution/chain/chain.h"

// The least work of a thread in a stage, in floating-point operations: some times what the end of a stage costs.
enum { LEAST_WORK = 50000 };

void ck_chain_begin_schedule(
    const ck_kernels *kernels, const ck_convolution_chain *chain, double work, chain_schedule *schedule) {
    chain_place place = {0};
    for (int64_t layer = 0; layer < chain->layer_count; layer++) {
        const ck_convolution *c = &chain->layers[layer].convolution;
        schedule->places[layer] = place;
        const chain_plane z = ck_chain_input(kernels, c).z;
        place.parameter = ck_chain_parameters(&chain->layers[layer], place.parameter).end;
        place.z += chain_plane_size(&z) * chain_lanes(kernels);
        place.gradients += chain_weight_count(c) + c->out_channels + chain_slope_count(c);
    }
    schedule->places[chain->layer_count] = place;
    schedule->stage_count = 0;
    const int64_t groups = divide_up(chain->batch, chain_lanes(kernels));
    const int64_t threads = min_of(ck_threads_for(work), ck_most_workers());
    // In integers: a driver does no arithmetic in its caller's floating-point mode.
    const int64_t most = (int64_t)work / (groups * chain->layer_count) / LEAST_WORK;
    schedule->sharers = groups >= threads ? 1 : max_of(min_of(divide_up(threads, groups), most), 1);
}

void ck_chain_add_preparation(
    const ck_kernels *kernels, const ck_convolution_chain *chain, int64_t layer, chain_schedule *schedule) {
    const ck_convolution *c = &chain->layers[layer].convolution;
    const int64_t slopes = chain_slope_count(c);
    if (slopes > 0) chain_add_stage(schedule, CHAIN_SPREAD, layer, chain_pieces(schedule, slopes));
    if (ck_chain_input(kernels, c).forms_members)
        chain_add_stage(schedule, CHAIN_FORM, layer, chain_pieces(schedule, c->height));
}

int64_t ck_chain_most_tasks(const chain_schedule *schedule, int64_t groups) {
    int64_t most = 1;
    for (int64_t stage = 0; stage < schedule->stage_count; stage++)
        most = max_of(most, groups * schedule->stages[stage].pieces);
    return most;
}
