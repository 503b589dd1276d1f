// The parts that forward and backward of a chain share: the planes of a layer, and how images become lanes.

#include "drivers/convolution/chain/chain.h"

#include <string.h>

// The padded input of a layer. `depth` is the channels of the input, or the channels of all its members.
static chain_plane input_plane(const ck_convolution *c, int64_t depth) {
    return (chain_plane){
        .rows = convolution_padded_rows(c),
        .columns = convolution_padded_columns(c),
        .depth = depth,
        .top = c->pad_top,
        .left = c->pad_left,
        .height = c->height,
        .width = c->width,
    };
}

static bool is_relu(const ck_member *member, float input_scale) {
    return member->function == CK_RELU && member->input_scale == input_scale && member->output_scale == 1;
}

chain_input ck_chain_input(const ck_kernels *kernels, const ck_convolution *c) {
    const ck_activation *activation = &c->activation;
    const ck_member *members = activation->members;
    chain_input input = {.z = input_plane(c, c->channels), .members = input_plane(c, convolution_depth(c))};
    chain_reading reading = CHAIN_PLAIN;
    if (!ck_activation_reads_plain(activation)) {
        if (kernels->chain.rectifies && activation->member_count == 1 && is_relu(&members[0], 1))
            reading = CHAIN_RECTIFIED;
        if (kernels->chain.rectifies && activation->member_count == 2 && is_relu(&members[0], 1)
            && is_relu(&members[1], -1))
            reading = CHAIN_MIRRORED;
        input.forms_members = reading == CHAIN_PLAIN;
    }
    const chain_plane *plane = input.forms_members ? &input.members : &input.z;
    input.windows = (chain_windows){
        .columns = c->out_width,
        .outputs = c->out_channels,
        .runs = c->kernel_h,
        .taps = c->kernel_w,
        .channels = plane->depth,
        .in_run = plane->columns * plane->depth * chain_lanes(kernels),
        .in_step = c->stride_w * plane->depth * chain_lanes(kernels),
        .reading = reading,
    };
    return input;
}

chain_plane ck_chain_gradient_plane(const ck_convolution *c, bool padded) {
    return (chain_plane){
        .rows = padded ? c->height + c->kernel_h - 1 : c->out_height,
        .columns = padded ? c->width + c->kernel_w - 1 : c->out_width,
        .depth = c->out_channels,
        .top = padded ? c->kernel_h - 1 - c->pad_top : 0,
        .left = padded ? c->kernel_w - 1 - c->pad_left : 0,
        .height = c->out_height,
        .width = c->out_width,
    };
}

chain_sizes ck_chain_sizes(const ck_convolution_chain *chain) {
    chain_sizes sizes = {0};
    for (int64_t i = 0; i < chain->layer_count; i++) {
        const ck_convolution *c = &chain->layers[i].convolution;
        const chain_plane z = input_plane(c, c->channels), members = input_plane(c, convolution_depth(c));
        const chain_plane gradient = ck_chain_gradient_plane(c, i > 0 || chain->gives_input_gradient);
        const int64_t weights = chain_weight_count(c) + c->out_channels, slopes = chain_slope_count(c);
        sizes.saved += chain_plane_size(&z);
        sizes.members = max_of(sizes.members, chain_plane_size(&members));
        sizes.gradient_plane = max_of(sizes.gradient_plane, chain_plane_size(&gradient));
        sizes.row = max_of(sizes.row, max_of(c->width * convolution_depth(c), c->out_width * c->out_channels));
        sizes.weights = max_of(sizes.weights, weights);
        sizes.slopes = max_of(sizes.slopes, slopes);
        sizes.parameters += weights + slopes;
    }
    return sizes;
}

void ck_chain_clear_borders(const chain_plane *plane, chain_range rows, float *start, int64_t lanes) {
    const size_t element = (size_t)(plane->depth * lanes) * sizeof(float);
    const int64_t row_floats = plane->columns * plane->depth * lanes;
    const int64_t right = plane->left + plane->width, bottom = plane->top + plane->height;
    if (rows.first == 0) memset(start, 0, (size_t)(plane->top * plane->columns) * element);
    for (int64_t y = plane->top + rows.first; y < plane->top + rows.end; y++) {
        float *row = start + y * row_floats;
        memset(row, 0, (size_t)plane->left * element);
        memset(row + right * plane->depth * lanes, 0, (size_t)(plane->columns - right) * element);
    }
    if (rows.end == plane->height)
        memset(start + bottom * row_floats, 0, (size_t)((plane->rows - bottom) * plane->columns) * element);
}

chain_parameters ck_chain_parameters(const ck_chain_layer *layer, int64_t start) {
    chain_parameters result = {start, -1, -1, start + 1};
    if (layer->has_bias) result.bias = result.end++;
    if (ck_activation_slope_count(&layer->convolution.activation, 1, 1) > 0) result.slopes = result.end++;
    return result;
}

void ck_chain_gather(
    const ck_kernels *kernels, chain_group group, const float *images, int64_t image_stride, int64_t count,
    float *elements) {
    const int64_t lanes = chain_lanes(kernels);
    ck_count_floats(2 * count * lanes);
    if (group.images < lanes) memset(elements, 0, (size_t)(count * lanes) * sizeof(float));
    kernels->gemm.transpose(
        images + group.first_image * image_stride, image_stride, group.images, count, elements, lanes);
}

void ck_chain_scatter(
    const ck_kernels *kernels, chain_group group, const float *elements, int64_t count, float *images,
    int64_t image_stride) {
    ck_count_floats(2 * count * chain_lanes(kernels));
    kernels->gemm.transpose(
        elements, chain_lanes(kernels), count, group.images, images + group.first_image * image_stride, image_stride);
}

activation_block ck_chain_row_block(const ck_convolution *c, int64_t lanes, int64_t y, int64_t *slope_offset) {
    // To the tiles, each lane of a channel is a channel.
    const int64_t channels = c->channels * lanes;
    const activation_block block = ck_activation_block(
        &c->activation, (activation_extent){c->height * c->width, channels}, (activation_extent){c->width, channels});
    *slope_offset = y * c->width * block.slope_position;
    return block;
}

void ck_chain_form_members(
    const ck_kernels *kernels, const ck_convolution *c, const chain_input *input, chain_range rows, const float *z,
    const float *slopes, float *members) {
    const int64_t lanes = chain_lanes(kernels);
    ck_chain_clear_borders(&input->members, rows, members, lanes);
    ck_count_floats(2 * (rows.end - rows.first) * c->width * convolution_depth(c) * lanes);
    for (int64_t y = rows.first; y < rows.end; y++) {
        int64_t slope_offset;
        const activation_block block = ck_chain_row_block(c, lanes, y, &slope_offset);
        kernels->activation.forward(
            &c->activation, &block, z + chain_plane_row(&input->z, y, lanes),
            slopes == NULL ? NULL : slopes + slope_offset, members + chain_plane_row(&input->members, y, lanes));
    }
}

double ck_chain_work(const ck_convolution_chain *chain) {
    double work = 0;
    for (int64_t i = 0; i < chain->layer_count; i++) {
        ck_convolution c = chain->layers[i].convolution;
        c.batch = chain->batch;
        work += convolution_work(&c);
    }
    return work;
}
