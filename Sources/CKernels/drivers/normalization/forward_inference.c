// Batch normalisation in inference: one sweep with the running statistics.

#include <math.h>

#include "drivers/normalization/sweep.h"
#include "drivers/shared/post_ops.h"

typedef struct inference_call {
    const normalization_tiles *tiles;
    norm_layout layout;
    float epsilon;
    const float *x, *gamma, *beta, *running_mean, *running_variance;
    const ck_post_ops *post_ops;
    float *y;
} inference_call;

/// The parameters are on the stack of each task, for a strip of columns at a time. A long row of few channels is one
/// strip.
static void inference_task(void *context, int64_t task, int worker) {
    (void)worker;
    const inference_call *call = context;
    const norm_layout *layout = &call->layout;
    const int64_t block_rows = layout->block_rows, first = task * block_rows;
    const int64_t end = min_of(layout->long_rows, first + block_rows);
    const int64_t rest = end == layout->long_rows ? layout->rest_rows * layout->channels : 0;
    ck_count_operations(((end - first) * layout->columns + rest) * NORMALIZE_COST);
    for (int64_t strip = 0; strip < layout->columns; strip += INFERENCE_COLUMNS) {
        float center[INFERENCE_COLUMNS], scale[INFERENCE_COLUMNS], shift[INFERENCE_COLUMNS];
        const int64_t width = min_of(INFERENCE_COLUMNS, layout->columns - strip);
        for (int64_t c = 0; c < width; c++) {
            const int64_t channel = strip + c;
            if (channel < layout->channels) {
                center[c] = call->running_mean[channel];
                scale[c] =
                    (float)(call->gamma[channel] / sqrt((double)call->running_variance[channel] + call->epsilon));
                shift[c] = call->beta[channel];
            } else {
                center[c] = center[c - layout->channels];
                scale[c] = scale[c - layout->channels];
                shift[c] = shift[c - layout->channels];
            }
        }
        const int64_t rows_at_once = width == layout->columns ? max_of(1, end - first) : 1;
        for (int64_t row = first; row < end; row += rows_at_once) {
            const int64_t place = row * layout->columns + strip;
            call->tiles->scale_shift(rows_at_once, width, call->x + place, center, scale, shift, call->y + place);
            ck_apply_post_ops(ck_kernels_current(), call->post_ops, place, rows_at_once * width, call->y);
        }
        if (end == layout->long_rows && layout->rest_rows > 0) {
            const int64_t place = layout->long_rows * layout->columns;
            call->tiles->scale_shift(
                1, layout->rest_rows * layout->channels, call->x + place, center, scale, shift, call->y + place);
            ck_apply_post_ops(
                ck_kernels_current(), call->post_ops, place, layout->rest_rows * layout->channels, call->y);
        }
    }
}

void ck_batch_norm_forward_inference(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *beta, const float *running_mean,
    const float *running_variance, const ck_post_ops *post_ops, float *y) {
    inference_call call = {
        .tiles = &ck_kernels_current()->normalization,
        .layout = ck_norm_layout(norm),
        .epsilon = norm->epsilon,
        .x = x,
        .gamma = gamma,
        .beta = beta,
        .running_mean = running_mean,
        .running_variance = running_variance,
        .post_ops = post_ops,
        .y = y};
    const int64_t blocks = max_of(1, divide_up(call.layout.long_rows, call.layout.block_rows));
    ck_parallel(blocks, (double)norm->rows * (double)norm->channels * NORMALIZE_COST, inference_task, &call);
}
