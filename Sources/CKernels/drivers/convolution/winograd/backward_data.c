// Winograd backward-data (see backward.h).

#include "drivers/convolution/winograd/backward.h"

// Columns [N] of one panel of one slice: the kernel's taps, in reverse order, from [K][N] to [N][width] and to
// frequencies.
void ck_winograd_map_transposed_weights(void *context, int64_t task, int worker) {
    const backward_call *call = context;
    const ck_convolution *c = call->convolution;
    const int64_t slice = task % call->plan.slices, start = task / call->plan.slices * TRANSPOSED_COLUMNS;
    const int64_t channels = slice_channels(call, slice), rows = min_of(TRANSPOSED_COLUMNS, c->out_channels - start);
    const gemm_panels panels = ck_gemm_panels(call->kernels, c->activation.member_count * channels);
    ck_count_floats((9 + weight_frequencies(call->tiles)) * rows * panels.columns);
    float *transposed = call->memory.transposed + worker * call->memory.worker_floats;
    const int64_t tap_floats = TRANSPOSED_COLUMNS * panels.width;
    for (int64_t panel = 0; panel < panels.count; panel++) {
        const int64_t width = gemm_panel_columns(&panels, panel);
        for (int64_t tap = 0; tap < 9; tap++)
            // A slice's channels of one member are neighbours in K; a panel may reach over several members.
            for (int64_t done = 0, count; done < width; done += count) {
                const int64_t at = panel * panels.width + done, member = at / channels, channel = at % channels;
                count = min_of(width - done, channels - channel);
                const int64_t k = member * c->channels + slice * call->plan.slice_channels + channel;
                call->kernels->gemm.transpose(
                    call->weights + (tap * call->plan.depth + k) * c->out_channels + start, c->out_channels, count,
                    rows, transposed + tap * tap_floats + done, panels.width);
            }
        float *target = call->memory.weight_frequencies + slice * call->plan.slice_weights
            + (panel * c->out_channels + start) * panels.width;
        for (int64_t row = 0; row < rows; row++)
            call->tiles->weights(
                transposed + 8 * tap_floats + row * panels.width, -tap_floats, width, target + row * panels.width,
                spread_matrix(panels.count * c->out_channels * panels.width));
    }
}

// The members' gradients of neighbouring tiles into dz, as far as their pixels are inside the image.
static void fold_tiles(const task_view *view, int64_t tiles, int64_t image, int64_t y, int64_t x) {
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    const int64_t tile = call->tiles->tile, left = max_of(-x, 0), right = min_of(tiles * tile, c->width - x);
    const activation_block block =
        ck_activation_block(&c->activation, convolution_image(c), (activation_extent){right - left, view->channels});
    for (int64_t row = max_of(-y, 0); row < min_of(tile, c->height - y); row++) {
        const int64_t position = (y + row) * c->width + x + left;
        const int64_t at = (image * c->height * c->width + position) * c->channels + view->slice;
        const int64_t slope_at = position * block.slope_position + view->slice;
        call->kernels->activation.backward(
            &c->activation, &block, call->z + at, call->slopes == NULL ? NULL : call->slopes + slope_at,
            view->pixels + (row * tiles * tile + left) * view->depth, call->dz == NULL ? NULL : call->dz + at,
            call->accumulate, view->slope_part == NULL ? NULL : view->slope_part + slope_at);
    }
}

void ck_winograd_backward_data(const task_view *view, int64_t first, int64_t end) {
    const backward_call *call = view->call;
    const ck_convolution *c = call->convolution;
    const backward_plan *plan = &call->plan;
    const gemm_panels panels = ck_gemm_panels(call->kernels, view->depth);
    const int64_t panel_floats = c->out_channels * panels.width;
    const gemm_sum sum = {
        .runs = 1,
        .length = c->out_channels,
        .a_runs = &no_offset,
        .a_step = 1,
        .b_step = panels.width,
        .a_distance = plan->gradients.row};
    gemm_product product = {
        .sum = sum, .panels = panels, .b_panel = panel_floats, .initial = ck_gemm_zeros, .c_stride = plan->slice.row};
    int64_t rows = 0;
    for (int64_t index = first; index < end; index++) rows += ck_tile_segment(&plan->grid, index).tiles;
    const float *weights = call->memory.weight_frequencies + view->slice / plan->slice_channels * plan->slice_weights;
    for (int frequency = 0; frequency < input_frequencies(call->tiles); frequency++) {
        product.b = weights + frequency_weight(call->tiles, frequency) * spread_matrix(panels.count * panel_floats);
        product.c = view->frequencies + frequency * plan->slice.matrix;
        const gemm_rows a = gemm_rows_apart(view->gradients + frequency * plan->gradients.matrix, plan->gradients.row);
        ck_gemm(call->kernels, &product, &a, rows);
    }
    count_map(rows, view->depth, plan->slice.count);
    const int64_t tile_size = call->tiles->tile;
    const plane_source source = slice_source(view);
    const float *data = view->frequencies;
    for (int64_t index = first; index < end; index++) {
        const tile_segment segment = ck_tile_segment(&plan->grid, index),
                           next = ck_tile_segment(&plan->grid, index + 1);
        for (int64_t tile = 0, count; tile < segment.tiles; tile += count) {
            count = min_of(plan->folded_tiles, segment.tiles - tile);
            const winograd_pixels pixels = {count * tile_size * view->depth, view->depth};
            for (int64_t i = 0; i < count; i++, data += plan->slice.row) {
                if (index + 1 < end) {
                    ck_fetch_tile(&source, &plan->block_window, &next, tile + i, call->z);
                    if (call->dz != NULL) ck_fetch_tile(&source, &plan->block_window, &next, tile + i, call->dz);
                }
                call->tiles->data(
                    data, plan->slice.matrix, view->depth, view->pixels + i * tile_size * view->depth, pixels);
            }
            fold_tiles(
                view, count, segment.image, segment.row * tile_size + plan->block_window.first_row,
                (segment.column + tile) * tile_size + plan->block_window.first_column);
        }
    }
}
