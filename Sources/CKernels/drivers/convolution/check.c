// Which convolutions the kernels take.

#include "drivers/convolution/winograd/winograd.h"

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
    const int64_t sizes[] = {c->batch,        c->height,   c->width,    c->channels, c->out_height, c->out_width,
                             c->out_channels, c->kernel_h, c->kernel_w, c->stride_h, c->stride_w};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] <= 0) return "a size, kernel or stride is not positive";
        if (sizes[i] > largest_extent) return "a size, kernel or stride is too large";
    }
    if (c->pad_top < 0 || c->pad_left < 0) return "padding is negative";
    if (c->pad_top >= c->kernel_h || c->pad_left >= c->kernel_w) return "padding is not smaller than the kernel";
    if (!ck_activation_check(&c->activation)) return "the activation is not valid";
    if (c->algorithm != CK_DIRECT && c->algorithm != CK_WINOGRAD) return "the algorithm is unknown";
    if (c->algorithm == CK_WINOGRAD && !ck_winograd_applies(c))
        return "Winograd's algorithm takes 3×3 kernels of stride 1 or 2 alone";
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
