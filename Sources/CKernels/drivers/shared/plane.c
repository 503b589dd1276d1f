#include "drivers/shared/plane.h"
#include "runtime/operations.h"

#include <string.h>

void ck_pack_pixels(
    const plane_source *source, const float *image, int64_t y, int64_t x, int64_t count, float *target) {
    const int64_t depth = source->activation->member_count * source->plane_channels;
    ck_count_floats(2 * count * depth);
    int64_t before = count, inside = 0;
    if (y >= 0 && y < source->height) {
        before = min_of(max_of(-x, 0), count);
        inside = max_of(min_of(x + count, source->width) - (x + before), 0);
    }
    const int64_t after = count - before - inside;
    if (before > 0) memset(target, 0, (size_t)(before * depth) * sizeof(float));
    if (inside > 0) {
        const activation_extent all = {source->height * source->width, source->channels};
        const activation_extent part = {inside, source->plane_channels};
        const activation_block block = ck_activation_block(source->activation, all, part);
        const int64_t position = y * source->width + x + before;
        const float *slopes =
            source->slopes == NULL ? NULL : source->slopes + position * block.slope_position + source->first_channel;
        source->kernels->activation.forward(
            source->activation, &block, image + position * source->channels + source->first_channel, slopes,
            target + before * depth);
    }
    if (after > 0) memset(target + (before + inside) * depth, 0, (size_t)(after * depth) * sizeof(float));
}

void ck_fetch_pixels(const plane_source *source, const float *image, int64_t y, int64_t x, int64_t count) {
    const int64_t left = max_of(x, 0), right = min_of(x + count, source->width);
    if (y < 0 || y >= source->height || left >= right) return;
    const float *pixels = image + (y * source->width + left) * source->channels + source->first_channel;
    // With all channels the pixels are one stretch.
    const bool whole = source->plane_channels == source->channels;
    const int64_t stretches = whole ? 1 : right - left;
    const int64_t floats = whole ? (right - left) * source->channels : source->plane_channels;
    for (int64_t stretch = 0; stretch < stretches; stretch++, pixels += source->channels)
        for (int64_t i = 0; i < floats; i += CACHE_LINE_FLOATS) __builtin_prefetch(pixels + i);
}

void ck_pack_windows(
    const plane_source *source, const float *image, const window_axis *y, const window_axis *x, int64_t first_row,
    int64_t rows, float *plane) {
    const int64_t depth = source->activation->member_count * source->plane_channels;
    const int64_t row_count = window_extent(y, rows), columns = window_extent(x, x->outputs), y_step = window_step(y);
    for (int64_t row = 0; row < row_count; row++, plane += columns * depth) {
        const int64_t window = row / y_step;
        const int64_t source_row = (first_row + window) * y->stride + (row - window * y_step) - y->pad;
        if (x->stride <= x->kernel) ck_pack_pixels(source, image, source_row, -x->pad, columns, plane);
        else
            for (int64_t output = 0; output < x->outputs; output++)
                ck_pack_pixels(
                    source, image, source_row, output * x->stride - x->pad, x->kernel,
                    plane + output * x->kernel * depth);
    }
}
