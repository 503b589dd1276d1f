// The entry points of a convolution into a dense layer that concern both passes.

#include "drivers/convolution/into_dense/into_dense.h"
#include "drivers/shared/loops.h"

static ck_dense dense_of(const ck_convolution_dense *fused) {
    const ck_convolution *c = &fused->convolution;
    return (ck_dense){
        .batch = c->batch,
        .positions = c->out_height * c->out_width,
        .channels = c->out_channels,
        .out_features = fused->out_features,
        .activation = fused->activation};
}

const char *ck_convolution_dense_check(const ck_convolution_dense *fused) {
    ck_convolution c = fused->convolution;
    c.algorithm = CK_DIRECT;
    const char *reason = ck_convolution_check(&c);
    if (reason != NULL) return reason;
    const ck_dense dense = dense_of(fused);
    reason = ck_dense_check(&dense);
    if (reason != NULL) return reason;
    if (!ck_activation_reads_plain(&c.activation)) return "the convolution reads an activation";
    if (fused->activation.applied) return "the convolution's output holds no activation";
    if (ck_activation_slope_count(&fused->activation, 1, 1) > 0) return "the activation has learned slopes";
    if (c.kernel_h * c.kernel_w > CK_MAX_FUSED_TERMS / c.channels) return "a convolution's sum has too many terms";
    if (fused->out_features > CK_MAX_FUSED_FEATURES) return "there are too many outputs";
    return NULL;
}

size_t ck_convolution_dense_scratch(const ck_convolution_dense *fused, ck_pass pass) {
    return pass == CK_FORWARD ? ck_fused_forward_scratch(fused) : ck_fused_backward_scratch(fused);
}

ck_plan ck_convolution_dense_plan(const ck_convolution_dense *fused, ck_pass pass) {
    const fused_sizes sizes = ck_fused_sizes(fused);
    ck_plan loops = {0};
    add_loop(&loops, "tasks", sizes.pixels, sizes.task_pixels);
    add_loop(&loops, "blocks of filters", fused->convolution.out_channels, CK_FUSED_COLUMNS);
    if (pass == CK_FORWARD) ck_fused_forward_loops(fused, &loops);
    else ck_fused_backward_loops(fused, &loops);
    return loops;
}
