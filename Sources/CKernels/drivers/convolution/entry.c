// The entry points of convolutions, which call the passes of the descriptor's algorithm.

#include "drivers/convolution/direct/direct.h"
#include "drivers/convolution/winograd/winograd.h"

int64_t ck_convolution_tile(const ck_convolution *convolution, ck_pass pass) {
    return convolution->algorithm == CK_WINOGRAD ? ck_winograd_shape(convolution, pass)->output_tile : 1;
}

size_t ck_convolution_scratch(const ck_convolution *convolution, ck_pass pass) {
    if (convolution->algorithm == CK_WINOGRAD)
        return pass == CK_FORWARD ? ck_winograd_forward_scratch(convolution)
                                  : ck_winograd_backward_scratch(convolution);
    if (pass == CK_FORWARD) return ck_direct_forward_scratch(convolution);
    return larger_size(ck_direct_backward_data_scratch(convolution), ck_direct_backward_weights_scratch(convolution));
}

void ck_convolution_forward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *bias,
    float *y, void *scratch) {
    if (convolution->algorithm == CK_WINOGRAD) ck_winograd_forward(convolution, z, slopes, weights, bias, y, scratch);
    else ck_direct_forward(convolution, z, slopes, weights, bias, y, scratch);
}

void ck_convolution_backward(
    const ck_convolution *convolution, const float *z, const float *slopes, const float *weights, const float *dy,
    float *dz, bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch) {
    if (convolution->algorithm == CK_WINOGRAD) {
        ck_winograd_backward(convolution, z, slopes, weights, dy, dz, accumulate, dslopes, dweights, dbias, scratch);
        return;
    }
    if (dweights != NULL) ck_direct_backward_weights(convolution, z, slopes, dy, dweights, dbias, scratch);
    if (dz != NULL || dslopes != NULL)
        ck_direct_backward_data(convolution, z, slopes, weights, dy, dz, accumulate, dslopes, scratch);
}

ck_plan ck_convolution_plan(const ck_convolution *convolution, ck_pass pass) {
    ck_plan loops = {0};
    if (convolution->algorithm == CK_WINOGRAD) {
        if (pass == CK_FORWARD) ck_winograd_forward_loops(convolution, &loops);
        else ck_winograd_backward_loops(convolution, &loops);
    } else if (pass == CK_FORWARD) {
        ck_direct_forward_loops(convolution, &loops);
    } else {
        ck_direct_backward_data_loops(convolution, &loops);
        ck_direct_backward_weights_loops(convolution, &loops);
    }
    return loops;
}
