// Winograd backward-weights (see backward.h).

#include "drivers/convolution/winograd/backward.h"

int64_t ck_winograd_map_blocks(const task_view *view, int64_t first, int64_t end) {
    const backward_plan *plan = &view->call->plan;
    const frequency_source blocks = {
        slice_source(view), plan->block_window, plan->packed_channels, view->call->tiles->block};
    return ck_segments_to_frequencies(
        &blocks, &plan->grid, first, end, view->call->z, view->plane, view->frequencies, &plan->slice);
}

void ck_winograd_add_weights(const task_view *view, int64_t rows, bool first_chunk, int64_t weight) {
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
        const int64_t target = frequency_weight(call->tiles, frequency);
        if (weight != ALL_FREQUENCIES && target != weight) continue;
        // Several frequencies may share one of the weights: the first of each axis is its own.
        const int own = call->tiles->weight_frequencies;
        const bool first =
            first_chunk && frequency / call->tiles->frequencies < own && frequency % call->tiles->frequencies < own;
        product.b = view->gradients + frequency * plan->gradients.matrix;
        product.initial = first ? ck_gemm_zeros : NULL;
        product.c = view->part + target * plan->part_matrix;
        const gemm_rows elements = gemm_rows_apart(view->frequencies + frequency * plan->slice.matrix, 1);
        ck_gemm(call->kernels, &product, &elements, view->depth);
    }
}

void ck_winograd_add_bias(const backward_call *call, int64_t group, int64_t first, int64_t end) {
    const ck_convolution *c = call->convolution;
    const int64_t pixels = c->out_height * c->out_width, image_segments = call->plan.grid.image_segments;
    const int64_t first_image = group_segments(call, group).first / image_segments;
    const int64_t images = divide_up(end, image_segments) - divide_up(first, image_segments);
    ck_count_floats(images * pixels * c->out_channels);
    for (int64_t image = divide_up(first, image_segments); image < divide_up(end, image_segments); image++)
        call->kernels->gemm.sum_rows(
            call->dy + image * pixels * c->out_channels, pixels, c->out_channels, image == first_image,
            call->bias_parts + group * call->plan.padded_columns);
}

void ck_winograd_gather_weights(void *context, int64_t task, int worker) {
    (void)worker;
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const int64_t members = c->activation.member_count, channel = task / members, m = task % members;
    const int64_t slice = channel / plan->slice_channels;
    const int64_t first = slice * plan->slice_channels, channels = slice_channels(call, slice);
    const int64_t row = first * members + m * channels + (channel - first), k = m * c->channels + channel;
    const int64_t tap = plan->depth * c->out_channels;
    ck_count_floats((9 + plan->groups * weight_frequencies(call->tiles)) * c->out_channels);
    call->tiles->taps(
        call->memory.parts + row * plan->padded_columns, plan->part_matrix, plan->part_floats, plan->groups,
        c->out_channels, call->dweights + 8 * tap + k * c->out_channels, -tap);
}
