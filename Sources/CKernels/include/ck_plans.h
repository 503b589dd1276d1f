#ifndef CK_PLANS_H
#define CK_PLANS_H

#include "ck_convolution_chain.h"
#include "ck_convolution_dense.h"
#include "ck_normalization.h"
#include "ck_pooling.h"

// How kernels divide the work of a shape. The plans are for tests: a test takes shapes of which every loop runs twice
// and ends with a remainder, and the test fails where a change of a plan leaves a loop without such a shape. A plan is
// the plan of the calling thread's instruction set.

/// A loop of a plan.
typedef struct ck_loop {
    const char *name; ///< static text, unique in its plan
    int64_t passes;
    bool has_remainder; ///< not all passes have the same length
} ck_loop;

enum { CK_MAX_LOOPS = 16 };

typedef struct ck_plan {
    int64_t loop_count;
    ck_loop loops[CK_MAX_LOOPS];
} ck_plan;

/// Of the descriptor's own algorithm.
ck_plan ck_convolution_plan(const ck_convolution *convolution, ck_pass pass);
ck_plan ck_pointwise_plan(const ck_convolution *convolution, ck_pass pass);
ck_plan ck_convolution_chain_plan(const ck_convolution_chain *chain);
ck_plan ck_convolution_dense_plan(const ck_convolution_dense *pair, ck_pass pass);
ck_plan ck_dense_plan(const ck_dense *dense, ck_pass pass);
ck_plan ck_activation_plan(const ck_activation_shape *shape);
ck_plan ck_batch_norm_plan(const ck_batch_norm *norm);
/// Of maxima of the members of `activation`, or of averages if it is NULL.
ck_plan ck_pooling_plan(const ck_pooling *pooling, const ck_activation *activation);
ck_plan ck_global_average_pool_plan(int64_t batch, int64_t positions, int64_t channels);
/// Of `count` elements: the loops of sums and of the rest of ck_elementwise.h, but for concatenation.
ck_plan ck_elementwise_plan(int64_t count);
/// Of a concatenation.
ck_plan ck_concat_plan(int64_t rows, int64_t channels);
/// Of an optimizer's update.
ck_plan ck_update_plan(int64_t count);
ck_plan ck_loss_plan(int64_t batch, int64_t classes);
/// Of ck_prepare_images.
ck_plan ck_images_plan(int64_t width, int64_t channels);

#endif
