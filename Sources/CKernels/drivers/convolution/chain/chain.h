#ifndef CK_CONVOLUTION_CHAIN_DRIVER_H
#define CK_CONVOLUTION_CHAIN_DRIVER_H

#include "drivers/convolution/shape.h"
#include "drivers/shared/scratch.h"
#include "include/ck_convolution_chain.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

// The parts that forward and backward of a chain share. A group is as many images as a vector has lanes. Inside, every
// element is a vector over the images of the group: z[y][x][c] means floats [y][x][c][lanes].
//   saved    the pre-activations that the layers read, padded: [group][layer][rows][columns][c]
//   members  the activation of a layer, padded, where windows can't be read from `saved`: [rows][columns][K]
// A pass is a list of stages. A task takes one group through all stages. If there are fewer groups than threads, a task
// takes a piece of one stage of a group instead. A piece is some rows, or some of the weights' sums, so no order of
// additions depends on the pieces.

/// A padded image: `rows` × `columns` pixels of `depth` elements, the image's first pixel at (top, left).
typedef struct chain_plane {
    int64_t rows, columns, depth;
    int64_t top, left;
    int64_t height, width; ///< of the image in it
} chain_plane;

/// Sizes in elements of a group: the largest that a layer needs of a worker or of a group, and the sums over all
/// layers.
typedef struct chain_sizes {
    int64_t saved;          // padded pre-activations of all layers
    int64_t members, row;   // padded activation; a row of members' gradients or of outputs
    int64_t gradient_plane; // padded gradient of an output
    int64_t weights;        // and bias, of one layer
    int64_t slopes;         // of one layer
    int64_t parameters;     // of all layers
} chain_sizes;

chain_sizes ck_chain_sizes(const ck_convolution_chain *chain);

/// The planes that a layer reads. Windows are in z where a tile can form the members as it loads z, and where there is
/// nothing to form. Otherwise the members are formed in a plane of their own.
typedef struct chain_input {
    chain_plane z, members;
    bool forms_members;
    chain_windows windows; ///< of a row of outputs
} chain_input;

chain_input ck_chain_input(const ck_kernels *kernels, const ck_convolution *convolution);

/// The plane of the gradient of the output of a layer: padded for the windows of backward-data, bare if backward-data
/// isn't computed.
chain_plane ck_chain_gradient_plane(const ck_convolution *convolution, bool padded);

static inline int64_t chain_plane_size(const chain_plane *plane) { return plane->rows * plane->columns * plane->depth; }

/// Floats of one group's element.
static inline int64_t chain_lanes(const ck_kernels *kernels) { return kernels->vector_floats; }

/// Where row y of the image starts in a plane.
static inline int64_t chain_plane_row(const chain_plane *plane, int64_t y, int64_t lanes) {
    return ((plane->top + y) * plane->columns + plane->left) * plane->depth * lanes;
}

/// Some rows of an image, or of other things: first ..< end.
typedef struct chain_range {
    int64_t first, end;
} chain_range;

/// Piece `index` of `count` pieces of about equal size.
static inline chain_range chain_piece(int64_t length, int64_t index, int64_t count) {
    return (chain_range){length * index / count, length * (index + 1) / count};
}

/// Writes zeros around these rows of the image: above the first row and below the last one, too.
void ck_chain_clear_borders(const chain_plane *plane, chain_range rows, float *start, int64_t lanes);

static inline int64_t chain_input_size(const ck_convolution *c) { return c->height * c->width * c->channels; }
static inline int64_t chain_output_size(const ck_convolution *c) {
    return c->out_height * c->out_width * c->out_channels;
}
static inline int64_t chain_weight_count(const ck_convolution *c) {
    return c->kernel_h * c->kernel_w * convolution_depth(c) * c->out_channels;
}
static inline int64_t chain_slope_count(const ck_convolution *c) {
    return ck_activation_slope_count(&c->activation, c->height * c->width, c->channels);
}

/// Where a layer's parameters stand in a list of all.
typedef struct chain_parameters {
    int64_t weights, bias, slopes; ///< −1 if there is none
    int64_t end;
} chain_parameters;

/// The parameters of the layer whose first parameter is number `start`.
chain_parameters ck_chain_parameters(const ck_chain_layer *layer, int64_t start);

/// Where the parameters, the planes in `saved` and the gradients of a layer begin.
typedef struct chain_place {
    int64_t parameter, z, gradients;
} chain_place;

typedef enum chain_step {
    CHAIN_GATHER, ///< images become lanes
    CHAIN_SPREAD, ///< slopes are spread over lanes
    CHAIN_FORM,   ///< members are formed in a plane
    CHAIN_LAYER,  ///< the layer itself
    CHAIN_LANES,  ///< the lanes of the last sums are added
} chain_step;

/// A stage of a pass: one step of one layer.
typedef struct chain_stage {
    chain_step step;
    int64_t layer;
    int64_t pieces;        ///< of a group, one task each
    int64_t weight_pieces; ///< those that add up gradients of weights
} chain_stage;

/// The stages of a pass, and how threads share them.
typedef struct chain_schedule {
    chain_stage *stages; ///< in scratch, as `places`
    chain_place *places; ///< of all layers, and their end
    int64_t stage_count;
    /// How many threads share a group; 1 if a task takes a group through all stages.
    int64_t sharers;
} chain_schedule;

/// Room for every schedule of the chain.
static inline chain_schedule chain_take_schedule(scratch_parts *parts, int64_t layer_count) {
    chain_schedule schedule = {0};
    schedule.stages = take_bytes(parts, 3 * (layer_count + 1) * (int64_t)sizeof(chain_stage));
    schedule.places = take_bytes(parts, (layer_count + 1) * (int64_t)sizeof(chain_place));
    return schedule;
}

/// Fills in the places, and decides how many threads share a group. `work` is that of the call.
void ck_chain_begin_schedule(
    const ck_kernels *kernels, const ck_convolution_chain *chain, double work, chain_schedule *schedule);

/// Adds the stages before a layer's own: those that spread its slopes and form its members.
void ck_chain_add_preparation(
    const ck_kernels *kernels, const ck_convolution_chain *chain, int64_t layer, chain_schedule *schedule);

static inline void chain_add_stage(chain_schedule *schedule, chain_step step, int64_t layer, int64_t pieces) {
    schedule->stages[schedule->stage_count++] = (chain_stage){step, layer, schedule->sharers == 1 ? 1 : pieces, 0};
}

/// How many pieces of `length` things a stage has: about two for each thread, so that threads that begin late, or that
/// have other pieces to do, take fewer.
static inline int64_t chain_pieces(const chain_schedule *schedule, int64_t length) {
    return min_of(2 * schedule->sharers, length);
}

/// The largest number of tasks of a stage.
int64_t ck_chain_most_tasks(const chain_schedule *schedule, int64_t groups);

/// One task's group.
typedef struct chain_group {
    int64_t first_image, images;
} chain_group;

static inline chain_group chain_group_of(int64_t batch, int64_t lanes, int64_t index) {
    return (chain_group){index * lanes, min_of(lanes, batch - index * lanes)};
}

/// Moves `count` neighbouring floats of each image of a group, image_stride apart, into elements; lanes without an
/// image become zeros.
void ck_chain_gather(
    const ck_kernels *kernels, chain_group group, const float *images, int64_t image_stride, int64_t count,
    float *elements);

/// The reverse, for the lanes that have an image.
void ck_chain_scatter(
    const ck_kernels *kernels, chain_group group, const float *elements, int64_t count, float *images,
    int64_t image_stride);

/// Spreads these slopes of a layer over lanes.
static inline void chain_spread_slopes(
    const ck_kernels *kernels, const float *values, chain_range slopes, float *spread) {
    ck_count_floats((slopes.end - slopes.first) * chain_lanes(kernels));
    kernels->chain.spread(
        slopes.end - slopes.first, values + slopes.first, spread + slopes.first * chain_lanes(kernels));
}

/// Forms the members of some rows of a layer's input. `slopes` are spread over lanes.
void ck_chain_form_members(
    const ck_kernels *kernels, const ck_convolution *convolution, const chain_input *input, chain_range rows,
    const float *z, const float *slopes, float *members);

/// How the activation of row y lies in memory; `*slope_offset` is where its slopes start.
activation_block ck_chain_row_block(const ck_convolution *convolution, int64_t lanes, int64_t y, int64_t *slope_offset);

/// Counts the multiplications and additions of the products of so many pixels with all weights.
static inline void chain_count_products(const ck_convolution *c, int64_t pixels, int64_t lanes) {
    ck_count_operations(2 * pixels * chain_weight_count(c) * lanes);
}

/// Multiplications and additions of one pass over all layers.
double ck_chain_work(const ck_convolution_chain *chain);

size_t ck_chain_forward_scratch(const ck_convolution_chain *chain, int64_t lanes);
size_t ck_chain_backward_scratch(const ck_convolution_chain *chain, int64_t lanes);

#endif
