// The entry points of the dense layer that concern more than one pass.

#include "drivers/dense/dense.h"
#include "drivers/shared/loops.h"

const char *ck_dense_check(const ck_dense *dense) {
    const int64_t sizes[] = {dense->batch, dense->positions, dense->channels, dense->out_features};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] <= 0) return "a size is not positive";
        if (sizes[i] > largest_extent) return "a size is too large";
    }
    if (!ck_activation_check(&dense->activation)) return "the activation is not valid";
    const int64_t depth = dense_depth(dense);
    if (depth > largest_count / dense->positions) return "a tensor is too large";
    const int64_t inputs = depth * dense->positions;
    if (inputs > largest_count / dense->batch || inputs > largest_count / dense->out_features
        || dense->batch > largest_count / dense->out_features)
        return "a tensor is too large";
    return NULL;
}

size_t ck_dense_scratch(const ck_dense *dense, ck_pass pass) {
    if (pass == CK_FORWARD) return ck_dense_forward_scratch(dense);
    return larger_size(ck_dense_backward_data_scratch(dense), ck_dense_backward_weights_scratch(dense));
}

void ck_dense_backward(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *dy, float *dz,
    bool accumulate, float *dslopes, float *dweights, float *dbias, void *scratch) {
    // Data first: the weights may still be in the caches from forward, and writing their gradients would evict them.
    if (dz != NULL || dslopes != NULL)
        ck_dense_backward_data(dense, z, slopes, weights, dy, dz, accumulate, dslopes, scratch);
    if (dweights != NULL) ck_dense_backward_weights(dense, z, slopes, dy, dweights, dbias, scratch);
}

ck_plan ck_dense_plan(const ck_dense *dense, ck_pass pass) {
    ck_plan loops = {0};
    add_loop(&loops, "slabs of images", dense->batch, GEMM_SLAB_ROWS);
    if (pass == CK_FORWARD) {
        ck_dense_forward_loops(dense, &loops);
    } else {
        ck_dense_backward_data_loops(dense, &loops);
        ck_dense_backward_weights_loops(dense, &loops);
    }
    return loops;
}
