// The tiles of Winograd's algorithms: which algorithm a pass takes, how images are cut into tiles, and how tiles become
// frequencies.

#include "drivers/convolution/winograd/winograd.h"

enum {
    SEGMENT_TILES = 16,
    SEGMENT_PLANE_BYTES = 128 << 10,
    LEAST_SLICE = 16, // channels: a whole vector of any instruction set
};

bool ck_winograd_applies(const ck_convolution *c) {
    return c->kernel_h == 3 && c->kernel_w == 3 && c->stride_h == c->stride_w && (c->stride_h == 1 || c->stride_h == 2);
}

// Tiles of an image: of y in forward, of a in backward.
static int64_t tile_count(const ck_convolution *c, ck_pass pass, winograd_kind kind) {
    const winograd_tiles *shape = &ck_kernels_portable.winograd[kind];
    if (pass == CK_FORWARD)
        return divide_up(c->out_height, shape->output_tile) * divide_up(c->out_width, shape->output_tile);
    return divide_up(c->height + tile_shift(c->pad_top, c->stride_h), shape->tile)
        * divide_up(c->width + tile_shift(c->pad_left, c->stride_w), shape->tile);
}

winograd_kind ck_winograd_kind(const ck_convolution *c, ck_pass pass) {
    if (c->stride_h == 2) return WINOGRAD_STRIDE2;
    int64_t products[WINOGRAD_STRIDE2];
    for (winograd_kind kind = WINOGRAD_TILE4; kind < WINOGRAD_STRIDE2; kind++)
        products[kind] = tile_count(c, pass, kind) * input_frequencies(&ck_kernels_portable.winograd[kind]);
    // Tiles of 5×5 have errors that are twice as large in the mean, so they have to save a tenth. The comparison is in
    // integers: scratch and passes have to agree in any floating-point mode.
    return 11 * products[WINOGRAD_TILE5] < 10 * products[WINOGRAD_TILE4] ? WINOGRAD_TILE5 : WINOGRAD_TILE4;
}

const winograd_tiles *ck_winograd_shape(const ck_convolution *convolution, ck_pass pass) {
    return &ck_kernels_portable.winograd[ck_winograd_kind(convolution, pass)];
}

tile_grid ck_tile_grid(int64_t rows, int64_t columns) {
    tile_grid grid = {.columns = columns};
    grid.segment_columns = divide_up(columns, divide_up(columns, SEGMENT_TILES));
    grid.row_segments = divide_up(columns, grid.segment_columns);
    grid.image_segments = rows * grid.row_segments;
    return grid;
}

tile_segment ck_tile_segment(const tile_grid *grid, int64_t index) {
    const int64_t in_image = index % grid->image_segments;
    tile_segment segment = {
        .image = index / grid->image_segments,
        .row = in_image / grid->row_segments,
        .column = in_image % grid->row_segments * grid->segment_columns,
    };
    segment.tiles = min_of(grid->segment_columns, grid->columns - segment.column);
    return segment;
}

frequency_matrices ck_frequency_matrices(int64_t count, int64_t rows, int64_t channels) {
    frequency_matrices matrices = {.count = count, .row = spread_stride(channels)};
    matrices.matrix = spread_matrix(rows * matrices.row);
    return matrices;
}

static int64_t plane_columns(const tile_window *window, int64_t tiles) {
    return (tiles - 1) * window->step + window->extent;
}

int64_t ck_winograd_plane_floats(const tile_window *window, int64_t segment_tiles, int64_t depth) {
    return window->extent * plane_columns(window, segment_tiles) * depth;
}

int64_t ck_winograd_slice(const tile_window *window, int64_t segment_tiles, int64_t channels, int64_t members) {
    const int64_t fitting = SEGMENT_PLANE_BYTES / 4 / ck_winograd_plane_floats(window, segment_tiles, members);
    return min_of(channels, max_of(fitting / LEAST_SLICE * LEAST_SLICE, LEAST_SLICE));
}

static const float *image_of(const plane_source *pixels, const tile_segment *segment, const float *images) {
    return images + segment->image * pixels->height * pixels->width * pixels->channels;
}

void ck_fetch_tile(
    const plane_source *pixels, const tile_window *window, const tile_segment *segment, int64_t tile,
    const float *images) {
    const float *image = image_of(pixels, segment, images);
    const int64_t y = window->first_row + segment->row * window->step;
    const int64_t x = window->first_column + (segment->column + tile) * window->step;
    for (int64_t row = 0; row < window->step; row++) ck_fetch_pixels(pixels, image, y + row, x, window->step);
}

int64_t ck_segments_to_frequencies(
    const frequency_source *source, const tile_grid *grid, int64_t first, int64_t end, const float *images,
    float *plane, float *target, const frequency_matrices *matrices) {
    const tile_window *window = &source->window;
    const int64_t members = source->pixels.activation->member_count;
    int64_t tiles = 0;
    for (int64_t index = first; index < end; index++) {
        const tile_segment segment = ck_tile_segment(grid, index), next = ck_tile_segment(grid, index + 1);
        const int64_t columns = plane_columns(window, segment.tiles);
        for (int64_t channel = 0; channel < source->pixels.plane_channels; channel += source->slice) {
            plane_source slice = source->pixels;
            slice.first_channel += channel;
            slice.plane_channels = min_of(source->slice, source->pixels.plane_channels - channel);
            const int64_t depth = members * slice.plane_channels;
            for (int64_t row = 0; row < window->extent; row++) {
                ck_pack_pixels(
                    &slice, image_of(&slice, &segment, images), window->first_row + segment.row * window->step + row,
                    window->first_column + segment.column * window->step, columns, plane + row * columns * depth);
                if (index + 1 < end)
                    ck_fetch_pixels(
                        &slice, image_of(&slice, &next, images), window->first_row + next.row * window->step + row,
                        window->first_column + next.column * window->step, columns);
            }
            const winograd_pixels pixels = {columns * depth, depth};
            for (int64_t tile = 0; tile < segment.tiles; tile++)
                for (int64_t m = 0; m < members; m++)
                    source->map(
                        plane + tile * window->step * depth + m * slice.plane_channels, pixels, slice.plane_channels,
                        target + (tiles + tile) * matrices->row + m * source->pixels.plane_channels + channel,
                        matrices->matrix);
        }
        tiles += segment.tiles;
    }
    count_map(tiles, members * source->pixels.plane_channels, matrices->count);
    return tiles;
}
