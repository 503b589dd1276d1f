// Winograd backward-weights (see backward.h).

#include "drivers/convolution/winograd/backward.h"

// Adds a chunk's products to the frequencies of dw: `rows` tiles.
static void add_weights(const task_view *view, int64_t rows, bool first_chunk) {
    const backward_call *call = view->call;
    const backward_plan *plan = &call->plan;
    const gemm_sum sum = {
        .runs = 1,
        .length = rows,
        .a_runs = &no_offset,
        .a_step = plan->slice.row,
        .b_step = plan->gradients.row,
        .a_distance = 1};
    gemm_product product = {
        .sum = sum,
        .panels = call->columns,
        .b_panel = call->columns.width,
        .c_stride = plan->padded_columns,
        .panels_outside = true};
    for (int frequency = 0; frequency < input_frequencies(call->tiles); frequency++) {
        const int64_t weight = frequency_weight(call->tiles, frequency);
        // Several frequencies may share one of the weights: the first of each axis is its own.
        const int own = call->tiles->weight_frequencies;
        const bool first =
            first_chunk && frequency / call->tiles->frequencies < own && frequency % call->tiles->frequencies < own;
        product.b = view->gradients + frequency * plan->gradients.matrix;
        product.initial = first ? ck_gemm_zeros : NULL;
        product.c = view->part + weight * plan->part_matrix;
        const gemm_rows elements = gemm_rows_apart(view->frequencies + frequency * plan->slice.matrix, 1);
        ck_gemm(call->kernels, &product, &elements, view->depth);
    }
}

void ck_winograd_backward_weights(const task_view *view, int64_t first, int64_t end, bool first_chunk) {
    const backward_call *call = view->call;
    const backward_plan *plan = &call->plan;
    const frequency_source blocks = {slice_source(view), plan->block_window, plan->packed_channels, call->tiles->block};
    const int64_t rows = ck_segments_to_frequencies(
        &blocks, &plan->grid, first, end, call->z, view->plane, view->frequencies, &plan->slice);
    add_weights(view, rows, first_chunk);
}

void ck_winograd_gather_weights(void *context, int64_t channel, int worker) {
    (void)worker;
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t slice = channel / plan->slice_channels, members = c->activation.member_count;
    const int64_t first = slice * plan->slice_channels, channels = slice_channels(call, slice);
    for (int64_t m = 0; m < members; m++) {
        const int64_t row = first * members + m * channels + (channel - first), k = m * c->channels + channel;
        const int64_t tap = plan->depth * c->out_channels;
        call->tiles->taps(
            call->memory.parts + row * plan->padded_columns, plan->part_matrix, plan->part_floats, plan->groups,
            c->out_channels, call->dweights + 8 * tap + k * c->out_channels, -tap);
    }
}
