#ifndef CK_LOOPS_H
#define CK_LOOPS_H

#include "drivers/sizes.h"
#include "include/ck_plans.h"

// How drivers tell their loops to tests.

/// A loop over `length` in steps of `step`, the last one perhaps shorter.
static inline void add_loop(ck_plan *plan, const char *name, int64_t length, int64_t step) {
    plan->loops[plan->loop_count++] = (ck_loop){name, divide_up(length, step), length % step != 0};
}

/// A loop over `parts` parts of `length`, whose lengths differ by at most 1.
static inline void add_split(ck_plan *plan, const char *name, int64_t length, int64_t parts) {
    plan->loops[plan->loop_count++] = (ck_loop){name, parts, length % parts != 0};
}

/// The loops of a pass of each algorithm of convolutions and dense layers.
void ck_direct_forward_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_direct_backward_data_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_direct_backward_weights_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_winograd_forward_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_winograd_backward_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_pointwise_forward_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_pointwise_backward_loops(const ck_convolution *convolution, ck_plan *plan);
void ck_fused_forward_loops(const ck_convolution_dense *fused, ck_plan *plan);
void ck_fused_backward_loops(const ck_convolution_dense *fused, ck_plan *plan);
void ck_dense_forward_loops(const ck_dense *dense, ck_plan *plan);
void ck_dense_backward_data_loops(const ck_dense *dense, ck_plan *plan);
void ck_dense_backward_weights_loops(const ck_dense *dense, ck_plan *plan);

#endif
