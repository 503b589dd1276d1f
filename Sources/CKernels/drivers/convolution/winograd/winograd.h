#ifndef CK_WINOGRAD_DRIVER_H
#define CK_WINOGRAD_DRIVER_H

#include "drivers/convolution/shape.h"
#include "drivers/shared/gemm.h"
#include "runtime/operations.h"

// The parts that the passes of Winograd's algorithms share (maps: dispatch/winograd_tiles.h). There is one matrix for
// each frequency. A tile of pixels becomes one row of each matrix, and the convolution becomes one matrix product for
// each frequency.

/// Multiplications, or maps as the multiplications that would take as long. Integers, so that no choice depends on the
/// caller's floating-point mode; 64 bits are too few for the largest tensors.
typedef __int128 cost;

enum { MAP_COST = 20 }; ///< of one channel of one tile at one frequency, there or back

/// A task's pass over the weights' frequencies takes as long as so many tiles.
enum { PASS_TILES = 8 };

/// Counts the operations of a map, there or back.
static inline void count_map(int64_t tiles, int64_t channels, int64_t frequencies) {
    ck_count_operations(2 * MAP_COST * tiles * channels * frequencies);
}

/// True for 3×3 kernels of stride 1 or 2.
bool ck_winograd_applies(const ck_convolution *convolution);

size_t ck_winograd_forward_scratch(const ck_convolution *convolution);
size_t ck_winograd_backward_scratch(const ck_convolution *convolution);

void ck_winograd_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch);

/// As ck_convolution_backward.
void ck_winograd_backward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch);

void ck_winograd_forward_loops(const ck_convolution *convolution, ck_plan *loops);
void ck_winograd_backward_loops(const ck_convolution *convolution, ck_plan *loops);

/// The tiles of all images in order, cut into segments: neighbours of one row of tiles.
typedef struct tile_grid {
    int64_t columns;         ///< tiles of a row
    int64_t segment_columns; ///< most tiles of a segment
    int64_t row_segments;    ///< segments of one row
    int64_t image_segments;
} tile_grid;

typedef struct tile_segment {
    int64_t image, row, column; ///< of its first tile
    int64_t tiles;
} tile_segment;

tile_grid ck_tile_grid(int64_t rows, int64_t columns);
tile_segment ck_tile_segment(const tile_grid *grid, int64_t index);

/// The algorithm of a pass: with stride 1, the tiles that take fewer multiplications for the image's size.
winograd_kind ck_winograd_kind(const ck_convolution *convolution, ck_pass pass);

/// The numbers of the algorithm of a pass. Scratch depends on them, so they are the same for every instruction set.
const winograd_tiles *ck_winograd_shape(const ck_convolution *convolution, ck_pass pass);

/// Frequencies along both axes: of input pixels, and of the weights.
static inline int64_t input_frequencies(const winograd_tiles *tiles) { return tiles->frequencies * tiles->frequencies; }
static inline int64_t weight_frequencies(const winograd_tiles *tiles) {
    return tiles->weight_frequencies * tiles->weight_frequencies;
}

/// The number of the weights' frequency that meets a frequency.
static inline int64_t frequency_weight(const winograd_tiles *tiles, int frequency) {
    return tiles->weights_of[frequency / tiles->frequencies] * tiles->weight_frequencies
        + tiles->weights_of[frequency % tiles->frequencies];
}

/// How many frequencies meet a frequency of the weights. With stride 2, one of the weights' frequencies meets several.
static inline int64_t weight_sums(const winograd_tiles *tiles, int64_t weight) {
    int64_t rows = 0, columns = 0;
    for (int i = 0; i < tiles->frequencies; i++) {
        rows += tiles->weights_of[i] == weight / tiles->weight_frequencies;
        columns += tiles->weights_of[i] == weight % tiles->weight_frequencies;
    }
    return rows * columns;
}

/// Pixels of padding above (or left of) the first tile of a in backward: with stride 2, tiles start at an even padded
/// row.
static inline int64_t tile_shift(int64_t pad, int64_t stride) { return pad % stride; }

/// Matrices with a row for each tile and a column for each channel, one matrix for each frequency.
typedef struct frequency_matrices {
    int64_t count, row; ///< matrices, floats from one row to the next
    int64_t matrix;     ///< floats from one matrix to the next
} frequency_matrices;

frequency_matrices ck_frequency_matrices(int64_t count, int64_t rows, int64_t channels);

/// Floats from one matrix to the next. The distance avoids powers of two, at which rows that are used together would
/// share cache sets.
static inline int64_t spread_matrix(int64_t floats) { return floats + 16; }

static inline int64_t frequency_floats(const frequency_matrices *m) { return m->count * m->matrix; }

/// Which pixels a segment's plane holds: those of `extent` rows and columns for each tile, `step` apart.
typedef struct tile_window {
    int64_t extent, step;            ///< pixels of one tile along an axis, and from one tile to the next
    int64_t first_row, first_column; ///< of the first tile in the image
} tile_window;

/// How many channels of z are packed at once, so that the plane of a segment stays in the L2 cache. z has `channels`
/// channels with `members` members each.
int64_t ck_winograd_slice(const tile_window *window, int64_t segment_tiles, int64_t channels, int64_t members);

/// Floats of the plane of one segment.
int64_t ck_winograd_plane_floats(const tile_window *window, int64_t segment_tiles, int64_t depth);

typedef void pixels_to_frequencies_map(
    const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency);

/// The source of frequencies: channels of images with their activation.
typedef struct frequency_source {
    plane_source pixels;
    tile_window window;
    int64_t slice; ///< channels packed at once
    pixels_to_frequencies_map *map;
} frequency_source;

/// Packs the tiles of the segments first ..< end of `images` with padding and activation, and maps these tiles to the
/// rows of `target`. While a segment is mapped, the pixels of the next one are fetched. Columns are in the order
/// [member][channel]. Returns the number of tiles.
int64_t ck_segments_to_frequencies(
    const frequency_source *source, const tile_grid *grid, int64_t first, int64_t end, const float *images,
    float *plane, float *target, const frequency_matrices *matrices);

/// Fetches the pixels of `images` that lie in one tile of a segment and in no other tile. They are read or overwritten
/// soon.
void ck_fetch_tile(
    const plane_source *pixels, const tile_window *window, const tile_segment *segment, int64_t tile,
    const float *images);

#endif
