// The entry points of 1×1 convolutions that concern both passes.

#include "drivers/convolution/pointwise/pointwise.h"

bool ck_pointwise_check(const ck_convolution *c) {
    return c->kernel_h == 1 && c->kernel_w == 1 && ck_activation_slope_count(&c->activation, 1, 1) == 0;
}

size_t ck_pointwise_scratch(const ck_convolution *convolution) {
    const size_t forward = ck_pointwise_forward_scratch(convolution),
                 backward = ck_pointwise_backward_scratch(convolution);
    return forward > backward ? forward : backward;
}

ck_plan ck_pointwise_plan(const ck_convolution *convolution, ck_pass pass) {
    ck_plan loops = {0};
    if (pass == CK_FORWARD) ck_pointwise_forward_loops(convolution, &loops);
    else ck_pointwise_backward_loops(convolution, &loops);
    return loops;
}
