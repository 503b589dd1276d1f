// The cost model behind ck_convolution_choose (docs/kernels.md). The cost of an algorithm is its multiplications. To
// these, the maps of Winograd's algorithms are added, as the multiplications that would take as long. Channels are
// counted in whole vectors.

#include "drivers/convolution/winograd/winograd.h"

static cost whole_vectors(int64_t channels) { return round_up(channels, CK_MAX_VECTOR_FLOATS); }

static cost direct_cost(const ck_convolution *c) {
    return (cost)c->batch * c->out_height * c->out_width * 9 * convolution_depth(c) * whole_vectors(c->out_channels);
}

static cost winograd_cost(const ck_convolution *c, ck_pass pass) {
    const winograd_tiles *shape = ck_winograd_shape(c, pass);
    const cost frequencies = input_frequencies(shape), outputs = shape->outputs * shape->outputs;
    const cost depth = convolution_depth(c), columns = whole_vectors(c->out_channels);
    const cost tiles =
        (cost)c->batch * divide_up(c->out_height, shape->output_tile) * divide_up(c->out_width, shape->output_tile);
    const cost products = frequencies * tiles * depth * columns;
    const cost weights = weight_frequencies(shape) * MAP_COST * depth * columns;
    const cost inputs = frequencies * tiles * MAP_COST * whole_vectors(convolution_depth(c));
    if (pass == CK_FORWARD) return products + weights + inputs + outputs * tiles * MAP_COST * columns;
    // Backward has two products, and each has a map of its own for the members.
    return 2 * products + 2 * weights + 2 * inputs + frequencies * tiles * MAP_COST * columns;
}

ck_algorithm ck_convolution_choose(const ck_convolution *convolution, ck_pass pass) {
    if (!ck_winograd_applies(convolution)) return CK_DIRECT;
    const cost direct = direct_cost(convolution) * (pass == CK_FORWARD ? 1 : 2);
    return winograd_cost(convolution, pass) < direct ? CK_WINOGRAD : CK_DIRECT;
}
