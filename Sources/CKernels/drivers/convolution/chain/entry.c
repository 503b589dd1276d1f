// The entry points of chains that concern both passes.

#include "drivers/convolution/chain/chain.h"

static const int64_t most_layers = 1 << 12;

// The most floats of the largest parts of memory, which are sums over all layers. So sizes in bytes stay far from
// overflow.
static const int64_t largest_sum = (int64_t)1 << 56;

const char *ck_convolution_chain_check(const ck_convolution_chain *chain) {
    if (chain->layer_count < 1 || chain->layer_count > most_layers) return "a chain has 1 to 4096 layers";
    for (int64_t i = 0; i < chain->layer_count; i++) {
        ck_convolution c = chain->layers[i].convolution;
        c.batch = chain->batch;
        c.algorithm = CK_DIRECT;
        const char *reason = ck_convolution_check(&c);
        if (reason != NULL) return reason;
        if ((i > 0 || chain->gives_input_gradient) && (c.stride_h != 1 || c.stride_w != 1))
            return "a layer with a stride has an input whose gradient is wanted";
        if (i == 0) continue;
        const ck_convolution *before = &chain->layers[i - 1].convolution;
        if (before->out_height != c.height || before->out_width != c.width || before->out_channels != c.channels)
            return "a layer's input is not what the layer before it gives";
    }
    // `saved` has a plane for each lane of each group, and backward has a part of all gradients for each group.
    const chain_sizes sizes = ck_chain_sizes(chain);
    if (max_of(sizes.saved, sizes.parameters) > largest_sum / round_up(chain->batch, CK_MAX_VECTOR_FLOATS))
        return "the chain is too large";
    return NULL;
}

size_t ck_convolution_chain_saved(const ck_convolution_chain *chain) {
    return (size_t)(round_up(chain->batch, CK_MAX_VECTOR_FLOATS) * ck_chain_sizes(chain).saved * 4);
}

size_t ck_convolution_chain_scratch(const ck_convolution_chain *chain) {
    size_t size = 0;
    for (int64_t lanes = 4; lanes <= CK_MAX_VECTOR_FLOATS; lanes *= 2) {
        const size_t forward = ck_chain_forward_scratch(chain, lanes),
                     backward = ck_chain_backward_scratch(chain, lanes);
        if (forward > size) size = forward;
        if (backward > size) size = backward;
    }
    return size;
}

void ck_convolution_chain_output(const ck_convolution_chain *chain, const void *saved, int64_t layer, float *output) {
    const ck_kernels *kernels = ck_kernels_current();
    const int64_t lanes = chain_lanes(kernels), group_floats = ck_chain_sizes(chain).saved * lanes;
    const float *z = saved;
    for (int64_t i = 0; i <= layer; i++) {
        const chain_plane plane = ck_chain_input(kernels, &chain->layers[i].convolution).z;
        z += chain_plane_size(&plane) * lanes;
    }
    const chain_plane plane = ck_chain_input(kernels, &chain->layers[layer + 1].convolution).z;
    const int64_t row = plane.width * plane.depth;
    for (int64_t index = 0; index * lanes < chain->batch; index++)
        for (int64_t y = 0; y < plane.height; y++)
            ck_chain_scatter(
                kernels, chain_group_of(chain->batch, lanes, index),
                z + index * group_floats + chain_plane_row(&plane, y, lanes), row, output + y * row,
                plane.height * row);
}
