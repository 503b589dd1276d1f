// Batch normalisation in training: the moments of x (if they are not known), the parameters that follow from them, and
// the normalised output.

#include <math.h>

#include "drivers/normalization/sweep.h"
#include "drivers/shared/post_ops.h"

/// The kinds of the sums.
enum { MEAN = 0, SQUARES = 1 };

typedef struct forward_call {
    norm_sweep sweep;
    float epsilon;
    const float *x, *gamma, *beta;
    const ck_moments *moments; // of x, if they are known
    float momentum;
    bool unbiased_running_variance;
    float *running_mean, *running_variance, *mean, *inverse_deviation;
    const ck_post_ops *post_ops;
    float *y;
} forward_call;

/// Rows of x in a part.
static int64_t rows_of_part(const norm_layout *layout, int64_t part) {
    const norm_part place = ck_norm_part(layout, part);
    return place.rows * (place.columns / layout->channels);
}

static void moments_task(void *context, int64_t part, int worker) {
    (void)worker;
    const forward_call *call = context;
    const norm_part place = ck_norm_part(&call->sweep.layout, part);
    const int64_t channels = call->sweep.layout.channels, copies = place.columns / channels;
    count_norm_part(&place, MOMENTS_COST);
    double *const mean = norm_sums(&call->sweep, part, MEAN), *const squares = norm_sums(&call->sweep, part, SQUARES);
    call->sweep.tiles->moments(0, place.rows, place.columns, call->x + place.offset, mean, squares);
    if (copies == 1) return;
    // Every channel has `copies` columns of equally many rows: join them into the first.
    for (int64_t c = 0; c < channels; c++) {
        double joined_mean = 0, joined_squares = 0;
        for (int64_t copy = 0; copy < copies; copy++) joined_mean += mean[copy * channels + c];
        joined_mean /= (double)copies;
        for (int64_t copy = 0; copy < copies; copy++) {
            const double off = mean[copy * channels + c] - joined_mean;
            joined_squares += squares[copy * channels + c] + (double)place.rows * off * off;
        }
        mean[c] = joined_mean;
        squares[c] = joined_squares;
    }
}

/// The moments of some rows.
typedef struct part_moments {
    const double *mean, *squares;
    double rows;
} part_moments;

static int64_t moments_count(const forward_call *call) {
    return call->moments != NULL ? divide_up(call->sweep.rows, call->moments->part_rows)
                                 : norm_part_count(&call->sweep.layout);
}

static part_moments moments_at(const forward_call *call, int64_t part) {
    if (call->moments == NULL)
        return (part_moments){
            norm_sums(&call->sweep, part, MEAN), norm_sums(&call->sweep, part, SQUARES),
            (double)rows_of_part(&call->sweep.layout, part)};
    const int64_t channels = call->sweep.layout.channels, part_rows = call->moments->part_rows;
    const double *const mean = call->moments->values + part * 2 * channels;
    return (part_moments){mean, mean + channels, (double)min_of(part_rows, call->sweep.rows - part * part_rows)};
}

static void forward_channels_task(void *context, int64_t slice, int worker) {
    (void)worker;
    const forward_call *call = context;
    const int64_t first = slice * NORM_SLICE_CHANNELS,
                  end = min_of(call->sweep.layout.channels, first + NORM_SLICE_CHANNELS);
    const int64_t count = moments_count(call), total = call->sweep.layout.part_limit + 1;
    count_joined_channels(first, end, count);
    const double rows = (double)call->sweep.rows;
    double *const mean = norm_sums(&call->sweep, total, MEAN), *const squares = norm_sums(&call->sweep, total, SQUARES);
    for (int64_t c = first; c < end; c++) mean[c] = squares[c] = 0;
    for (int64_t part = 0; part < count; part++) {
        const part_moments found = moments_at(call, part);
        const double weight = found.rows / rows;
        for (int64_t c = first; c < end; c++) mean[c] += weight * found.mean[c];
    }
    for (int64_t part = 0; part < count; part++) {
        const part_moments found = moments_at(call, part);
        for (int64_t c = first; c < end; c++) {
            const double off = found.mean[c] - mean[c];
            squares[c] += found.squares[c] + found.rows * off * off;
        }
    }
    // One row has no unbiased variance. The biased variance stands in.
    const double unbiased = call->unbiased_running_variance && call->sweep.rows > 1 ? rows / (rows - 1) : 1;
    const double kept = call->momentum, moved = 1 - kept;
    float *const center = norm_parameters(&call->sweep, CENTER), *const scale = norm_parameters(&call->sweep, SCALE);
    float *const shift = norm_parameters(&call->sweep, SHIFT);
    for (int64_t c = first; c < end; c++) {
        const double variance = squares[c] / rows, inverse = 1 / sqrt(variance + (double)call->epsilon);
        call->mean[c] = (float)mean[c];
        call->inverse_deviation[c] = (float)inverse;
        call->running_mean[c] = (float)(kept * call->running_mean[c] + moved * mean[c]);
        call->running_variance[c] = (float)(kept * call->running_variance[c] + moved * variance * unbiased);
        center[c] = (float)mean[c];
        scale[c] = (float)(call->gamma[c] * inverse);
        // The shift makes up for the rounding of the mean, which is large where the deviation is small against the
        // mean.
        shift[c] = (float)(call->beta[c] + (center[c] - mean[c]) * (call->gamma[c] * inverse));
    }
    ck_norm_repeat(&call->sweep, CENTER, first, end);
    ck_norm_repeat(&call->sweep, SCALE, first, end);
    ck_norm_repeat(&call->sweep, SHIFT, first, end);
}

static void normalize_task(void *context, int64_t block, int worker) {
    (void)worker;
    const forward_call *call = context;
    const norm_part place = ck_norm_block(&call->sweep.layout, block);
    count_norm_part(&place, NORMALIZE_COST);
    call->sweep.tiles->scale_shift(
        place.rows, place.columns, call->x + place.offset, norm_parameters(&call->sweep, CENTER),
        norm_parameters(&call->sweep, SCALE), norm_parameters(&call->sweep, SHIFT), call->y + place.offset);
    ck_apply_post_ops(ck_kernels_current(), call->post_ops, place.offset, place.rows * place.columns, call->y);
}

void ck_batch_norm_forward_training(
    const ck_batch_norm *norm, const float *x, const ck_moments *moments, const float *gamma, const float *beta,
    float momentum, bool unbiased_running_variance, float *running_mean, float *running_variance, float *mean,
    float *inverse_deviation, const ck_post_ops *post_ops, float *y, void *scratch) {
    forward_call call = {
        .sweep = ck_norm_sweep(norm, scratch),
        .epsilon = norm->epsilon,
        .x = x,
        .gamma = gamma,
        .beta = beta,
        .moments = moments != NULL && moments->values != NULL ? moments : NULL,
        .momentum = momentum,
        .unbiased_running_variance = unbiased_running_variance,
        .running_mean = running_mean,
        .running_variance = running_variance,
        .mean = mean,
        .inverse_deviation = inverse_deviation,
        .post_ops = post_ops,
        .y = y,
    };
    if (call.moments == NULL)
        ck_parallel(norm_part_count(&call.sweep.layout), norm_work(&call.sweep, MOMENTS_COST), moments_task, &call);
    over_channel_slices(&call.sweep, moments_count(&call), forward_channels_task, &call);
    over_row_blocks(&call.sweep, norm_work(&call.sweep, NORMALIZE_COST), normalize_task, &call);
}
