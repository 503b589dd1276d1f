#ifndef CK_WINOGRAD_BACKWARD_H
#define CK_WINOGRAD_BACKWARD_H

#include "drivers/convolution/winograd/winograd.h"
#include "drivers/shared/slopes.h"

// Winograd backward. Tiles are tiles of pixels of a. The frequencies of the patch of dy that a tile meets serve both
// products:
//   data     gradients [tile][N] · weights [N][K], a matrix for each frequency → the members' gradients, folded into dz
//   weights  blockᵀ [K][tile] · gradients [tile][N], summed over tiles → the frequencies of dw
// There are sums for each slice of z's channels, with all their members, and for each group of images. The sums of the
// groups are added in order at the end. A group goes chunk by chunk, in one of two ways that give the same bits:
//   few threads    A task takes a group and several slices, which share the frequencies of dy. The memory for a chunk
//                  is private to the worker.
//   many threads   All tasks share some chunks of each group and go through stages (see backward_stages.c), so there
//                  are more tasks than groups and slices.

/// The columns of a task that maps weights: a slice of few channels still is several tasks.
enum { TRANSPOSED_COLUMNS = 32 };

/// In place of one frequency.
enum { ALL_FREQUENCIES = -1 };

typedef struct backward_plan {
    int64_t depth; // K
    tile_grid grid;
    tile_window gradient_window, block_window;
    int64_t slice_channels, slices, groups;
    int64_t chunk_segments, group_chunks;
    int64_t stage_chunks;                  // most chunks of a group that go through the stages at once
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

/// A worker's memory lies side by side, so that few workers touch few pages.
typedef struct backward_memory {
    float *weight_frequencies, *parts, *bias_parts, *slope_gradients;
    float *plane, *pixels, *transposed; // of worker 0
    int64_t worker_floats;              // from one worker's to the next
    float *frequencies;                 // of dy and of slices: of each worker, or of each chunk in the stages
    size_t size;
} backward_memory;

/// The floats of a worker's frequencies, and of those of a chunk in the stages: of dy, then of one or all slices.
static inline int64_t worker_frequencies(const backward_plan *plan) { return plan->most_gradients + plan->most_slice; }
static inline int64_t chunk_frequencies(const backward_plan *plan) {
    return plan->most_gradients + plan->slices * plan->most_slice;
}

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

/// The state of a task, and the memory that the task uses.
typedef struct task_view {
    const backward_call *call;
    int64_t slice, channels, depth; // of the slice: first channel, channels, members·channels
    float *plane, *gradients, *pixels, *slope_part, *part;
    float *frequencies; // of the slice: of da, then of blocks of a
} task_view;

/// A chunk of a group of images: segments of tiles.
typedef struct segment_range {
    int64_t first, end;
} segment_range;

/// The channels of a slice; the last slice may be narrower.
static inline int64_t slice_channels(const backward_call *call, int64_t slice) {
    return min_of(call->plan.slice_channels, call->convolution->channels - slice * call->plan.slice_channels);
}

/// The segments of a group.
static inline segment_range group_segments(const backward_call *call, int64_t group) {
    const int64_t batch = call->convolution->batch, groups = call->plan.groups;
    const int64_t image_segments = call->plan.grid.image_segments;
    return (segment_range){group * batch / groups * image_segments, (group + 1) * batch / groups * image_segments};
}

/// Has the view show a slice of a group.
static inline void show_slice(task_view *view, int64_t group, int64_t slice) {
    const backward_call *call = view->call;
    const int64_t members = call->convolution->activation.member_count;
    view->slice = slice * call->plan.slice_channels;
    view->channels = slice_channels(call, slice);
    view->depth = members * view->channels;
    // Rows of a slice follow one another in each frequency.
    view->part =
        call->memory.parts + group * call->plan.part_floats + view->slice * members * call->plan.padded_columns;
}

/// The group's part of the gradients of the slice's slopes; zeros before the first chunk. NULL if not wanted.
static inline float *slope_part_of(const task_view *view, int64_t group, bool first_chunk) {
    const backward_call *call = view->call;
    if (call->slope_gradients == NULL) return NULL;
    if (!first_chunk) return ck_slope_part(&call->plan.slopes, call->slope_gradients, group, 0);
    const int64_t positions = call->convolution->height * call->convolution->width;
    const slope_range range = {0, positions, view->slice, view->channels};
    return ck_slope_part_start(&call->plan.slopes, call->slope_gradients, group, 0, range);
}

/// dy, for the map to frequencies.
static inline frequency_source gradient_source(const backward_call *call) {
    const ck_convolution *c = call->convolution;
    return (frequency_source){
        {call->kernels, &ck_no_activation, NULL, c->out_height, c->out_width, c->out_channels, 0, c->out_channels},
        call->plan.gradient_window,
        call->plan.gradient_channels,
        call->tiles->gradients};
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

/// Maps the blocks of the segments first ..< end to `view->frequencies`. Returns the number of tiles.
int64_t ck_winograd_map_blocks(const task_view *view, int64_t first, int64_t end);

/// Adds the products of `rows` tiles to one frequency of dw, or to ALL_FREQUENCIES. The frequencies of the
/// tiles' blocks and gradients are in `view->frequencies` and `view->gradients`.
void ck_winograd_add_weights(const task_view *view, int64_t rows, bool first_chunk, int64_t weight);

/// Adds dy of the images that begin in the segments first ..< end to the group's part of dbias.
void ck_winograd_add_bias(const backward_call *call, int64_t group, int64_t first, int64_t end);

/// A task of the call: dw of one member of one channel of z, from the sums of all groups.
void ck_winograd_gather_weights(void *context, int64_t task, int worker);

/// The most tasks of the stage that has a task for each chunk and slice.
static inline int64_t ck_winograd_slice_tasks(const backward_plan *plan) {
    return plan->groups * min_of(plan->stage_chunks, plan->group_chunks) * plan->slices;
}

/// Computes dz and the parts of the gradients of weights, bias and slopes, in stages.
void ck_winograd_backward_in_stages(const backward_call *call);

#endif
