#include "drivers/convolution.h"

// Sizes are kept far below what would overflow when scratch multiplies them by workers and bytes.
static const int64_t largest_extent = (int64_t)1 << 31;
static const int64_t largest_count = (int64_t)1 << 46;

// product *= factor, false if that exceeds largest_count.
static bool multiply(int64_t *product, int64_t factor) {
    if (factor > largest_count / *product) return false;
    *product *= factor;
    return true;
}

static bool product_fits(int64_t a, int64_t b, int64_t c, int64_t d) {
    int64_t product = 1;
    return multiply(&product, a) && multiply(&product, b) && multiply(&product, c) && multiply(&product, d);
}

const char *ck_convolution_check(const ck_convolution *convolution) {
    const ck_convolution *c = convolution;
    const int64_t sizes[] = {c->batch, c->height, c->width, c->channels, c->out_height, c->out_width, c->out_channels,
                             c->kernel_h, c->kernel_w, c->stride_h, c->stride_w};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] <= 0) return "a size, kernel or stride is not positive";
        if (sizes[i] > largest_extent) return "a size, kernel or stride is too large";
    }
    if (c->pad_top < 0 || c->pad_left < 0) return "padding is negative";
    if (c->pad_top >= c->kernel_h || c->pad_left >= c->kernel_w) return "padding is not smaller than the kernel";
    if (!ck_activation_check(&c->activation)) return "the activation is not valid";
    if (c->algorithm != CK_DIRECT) return "the algorithm is unknown";
    if ((c->out_height - 1) * c->stride_h - c->pad_top >= c->height
        || (c->out_width - 1) * c->stride_w - c->pad_left >= c->width)
        return "the output is too large: its last window lies outside the image";
    const int64_t depth = convolution_depth(c);
    const int64_t padded_height = c->height + 2 * c->kernel_h, padded_width = c->width + 2 * c->kernel_w;
    if (!product_fits(c->batch, padded_height, padded_width, depth)
        || !product_fits(c->batch, c->out_height, c->out_width, c->out_channels)
        || !product_fits(c->out_height + 2 * c->kernel_h, c->out_width + 2 * c->kernel_w, c->out_channels, 1)
        // backward-data's plane of dy covers the whole image, whatever the output's size
        || !product_fits(
            c->height / c->stride_h + 2 * c->kernel_h, c->width / c->stride_w + 2 * c->kernel_w, c->out_channels, 1)
        || !product_fits(c->kernel_h, c->kernel_w, depth + 48, c->out_channels + 48))
        return "a tensor is too large";
    return NULL;
}

size_t ck_convolution_scratch(const ck_convolution *convolution, ck_pass pass) {
    switch (pass) {
    case CK_FORWARD: return ck_convolution_forward_scratch(convolution);
    case CK_BACKWARD_DATA: return ck_convolution_backward_data_scratch(convolution);
    case CK_BACKWARD_WEIGHTS: return ck_convolution_backward_weights_scratch(convolution);
    }
    return 0;
}
