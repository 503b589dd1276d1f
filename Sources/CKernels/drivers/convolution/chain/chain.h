#ifndef CK_CONVOLUTION_CHAIN_DRIVER_H
#define CK_CONVOLUTION_CHAIN_DRIVER_H

#include "drivers/convolution/shape.h"
#include "include/ck_convolution_chain.h"
#include "runtime/threads.h"

// The parts that forward and backward of a chain share. A group is as many images as a vector has lanes; a task takes
// one group through all layers. Inside, every element is a vector over the images of the group: z[y][x][c] means floats
// [y][x][c][lanes].
//   saved    the pre-activations that the layers read, padded: [group][layer][rows][columns][c]
//   members  the activation of a layer, padded, where windows can't be read from `saved`: [rows][columns][K]

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

/// Writes zeros around the image.
void ck_chain_clear_borders(const chain_plane *plane, float *start, int64_t lanes);

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

/// The plane that holds the windows of a layer: z, or `members` after forming the members there. `slopes` are spread
/// over lanes.
const float *ck_chain_window_elements(
    const ck_kernels *kernels, const ck_convolution *convolution, const chain_input *input, const float *z,
    const float *slopes, float *members);

/// How the activation of row y lies in memory; `*slope_offset` is where its slopes start.
activation_block ck_chain_row_block(const ck_convolution *convolution, int64_t lanes, int64_t y, int64_t *slope_offset);

/// Multiplications and additions of one pass over all layers.
double ck_chain_work(const ck_convolution_chain *chain);

size_t ck_chain_forward_scratch(const ck_convolution_chain *chain, int64_t lanes);
size_t ck_chain_backward_scratch(const ck_convolution_chain *chain, int64_t lanes);

#endif
