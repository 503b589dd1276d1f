#ifndef CK_WINOGRAD_BACKWARD_H
#define CK_WINOGRAD_BACKWARD_H

#include "drivers/convolution/winograd/winograd.h"
#include "drivers/shared/slopes.h"

// Winograd backward. Tiles are tiles of pixels of a. The frequencies of the patch of dy that a tile meets serve both
// products:
//   data     gradients [tile][N] · weights [N][K], a matrix for each frequency → the members' gradients, folded into dz
//   weights  blockᵀ [K][tile] · gradients [tile][N], summed over tiles → the frequencies of dw
// There are sums for each slice of z's channels, with all their members, and for each group of images. The sums of the
// groups are added in order at the end. A task takes a group and, with few threads, several slices, which share the
// frequencies of dy. A task goes chunk by chunk; the memory for a chunk is private to the worker.

/// The columns of a task that maps weights: a slice of few channels still is several tasks.
enum { TRANSPOSED_COLUMNS = 32 };

typedef struct backward_plan {
    int64_t depth; // K
    tile_grid grid;
    tile_window gradient_window, block_window;
    int64_t slice_channels, slices, groups;
    int64_t chunk_segments;
    int64_t plane_floats, packed_channels; // z's channels in a plane
    int64_t gradient_channels;             // dy's channels in a plane
    int64_t folded_tiles, pixel_floats;
    // Floats of one group's gradients of the weights: of a row, of one frequency, and of all.
    int64_t padded_columns, part_matrix, part_floats;
    int64_t transposed_floats, slice_weights;
    frequency_matrices gradients, slice;
    int64_t most_gradients, most_slice; // floats of these matrices, at most
    slope_parts slopes;
} backward_plan;

typedef struct backward_memory {
    float *weight_frequencies, *transposed, *planes, *gradient_frequencies, *slice_frequencies, *pixels, *parts;
    float *bias_parts, *slope_gradients;
    size_t size;
} backward_memory;

typedef struct backward_call {
    const ck_convolution *convolution;
    const ck_kernels *kernels;
    const winograd_tiles *tiles;
    backward_plan plan;
    int64_t task_slices; // of one task; how slices are divided among tasks changes no result
    gemm_panels columns; // of dw: N
    const float *z, *slopes, *weights, *dy;
    backward_memory memory;
    float *bias_parts, *slope_gradients; // NULL if not wanted
    float *dz, *dweights;
    bool accumulate;
} backward_call;

/// The state of a worker, and its private memory.
typedef struct task_view {
    const backward_call *call;
    int64_t slice, channels, depth; // of the slice: first channel, channels, members·channels
    float *plane, *gradients, *pixels, *slope_part, *part;
    float *frequencies; // of the slice: of da, then of blocks of a
} task_view;

/// The channels of a slice; the last slice may be narrower.
static inline int64_t slice_channels(const backward_call *call, int64_t slice) {
    return min_of(call->plan.slice_channels, call->convolution->channels - slice * call->plan.slice_channels);
}

/// The slice's channels of z.
static inline plane_source slice_source(const task_view *view) {
    const ck_convolution *c = view->call->convolution;
    return (plane_source){view->call->kernels, &c->activation, view->call->slopes, c->height, c->width,
                          c->channels,         view->slice,    view->channels};
}

/// A task of the call: maps the weights of some columns of dy and of one slice to frequencies.
void ck_winograd_map_transposed_weights(void *context, int64_t task, int worker);

/// dz of the segments first ..< end. The frequencies of their gradients are in `view->gradients`.
void ck_winograd_backward_data(const task_view *view, int64_t first, int64_t end);

/// Adds the products of the segments first ..< end to the frequencies of dw. The frequencies of their gradients are in
/// `view->gradients`.
void ck_winograd_backward_weights(const task_view *view, int64_t first, int64_t end, bool first_chunk);

/// A task of the call: dw of one channel of z, with all its members, from the sums of all groups.
void ck_winograd_gather_weights(void *context, int64_t channel, int worker);

#endif
