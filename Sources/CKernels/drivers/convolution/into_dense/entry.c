// The entry points of a convolution into a dense layer that concern both passes.

#include "drivers/convolution/into_dense/into_dense.h"
#include "drivers/shared/loops.h"

static ck_dense dense_of(const ck_convolution_dense *pair) {
    const ck_convolution *c = &pair->convolution;
    return (ck_dense){
        .batch = c->batch,
        .positions = c->out_height * c->out_width,
        .channels = c->out_channels,
        .out_features = pair->out_features,
        .activation = pair->activation};
}

const char *ck_convolution_dense_check(const ck_convolution_dense *pair) {
    ck_convolution c = pair->convolution;
    c.algorithm = CK_DIRECT;
    const char *reason = ck_convolution_check(&c);
    if (reason != NULL) return reason;
    const ck_dense dense = dense_of(pair);
    reason = ck_dense_check(&dense);
    if (reason != NULL) return reason;
    if (!ck_activation_reads_plain(&c.activation)) return "the convolution reads an activation";
    if (pair->activation.applied) return "the convolution's output holds no activation";
    if (ck_activation_slope_count(&pair->activation, 1, 1) > 0) return "the activation has learned slopes";
    if (c.kernel_h * c.kernel_w > CK_MAX_INTO_DENSE_TERMS / c.channels) return "a convolution's sum has too many terms";
    if (pair->out_features > CK_MAX_INTO_DENSE_FEATURES) return "there are too many outputs";
    return NULL;
}

size_t ck_convolution_dense_scratch(const ck_convolution_dense *pair, ck_pass pass) {
    return pass == CK_FORWARD ? ck_into_dense_forward_scratch(pair) : ck_into_dense_backward_scratch(pair);
}

ck_plan ck_convolution_dense_plan(const ck_convolution_dense *pair, ck_pass pass) {
    const into_dense_sizes sizes = ck_into_dense_sizes(pair);
    ck_plan loops = {0};
    add_loop(&loops, "tasks", sizes.pixels, sizes.task_pixels);
    add_loop(&loops, "blocks of filters", pair->convolution.out_channels, INTO_DENSE_COLUMNS);
    if (pass == CK_FORWARD) ck_into_dense_forward_loops(pair, &loops);
    else ck_into_dense_backward_loops(pair, &loops);
    return loops;
}
