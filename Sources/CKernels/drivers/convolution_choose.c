// The cost model behind ck_convolution_choose (docs/kernels.md): multiplications, and for Winograd's algorithms the
// maps too, in multiplications that would take as long. Channels are counted in whole vectors.

#include "drivers/winograd.h"

static const double map_cost = 20; // of one channel of one tile at one frequency, there or back

static double whole_vectors(int64_t channels) { return (double)round_up(channels, CK_MAX_VECTOR_FLOATS); }

static double direct_cost(const ck_convolution *c) {
    return (double)c->batch * (double)c->out_height * (double)c->out_width * 9 * (double)convolution_depth(c)
        * whole_vectors(c->out_channels);
}

static double winograd_cost(const ck_convolution *c, ck_pass pass) {
    const winograd_tiles *shape = ck_winograd_shape(c, pass);
    const double frequencies = (double)input_frequencies(shape), outputs = shape->outputs * shape->outputs;
    const double depth = (double)convolution_depth(c), columns = whole_vectors(c->out_channels);
    const double tiles = (double)c->batch * (double)divide_up(c->out_height, shape->output_tile)
        * (double)divide_up(c->out_width, shape->output_tile);
    const double products = frequencies * tiles * depth * columns;
    const double weights = (double)weight_frequencies(shape) * map_cost * depth * columns;
    const double inputs = frequencies * tiles * map_cost * whole_vectors(convolution_depth(c));
    if (pass == CK_FORWARD) return products + weights + inputs + outputs * tiles * map_cost * columns;
    // Both products, each with its own map of the members' side.
    return 2 * products + 2 * weights + 2 * inputs + frequencies * tiles * map_cost * columns;
}

ck_algorithm ck_convolution_choose(const ck_convolution *convolution, ck_pass pass) {
    if (!ck_winograd_applies(convolution)) return CK_DIRECT;
    const double direct = direct_cost(convolution) * (pass == CK_FORWARD ? 1 : 2);
    return winograd_cost(convolution, pass) < direct ? CK_WINOGRAD : CK_DIRECT;
}
