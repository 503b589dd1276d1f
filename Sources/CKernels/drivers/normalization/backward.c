// Batch normalisation, backward: the sums of the gradients, the terms that follow from them, and dx.

#include "drivers/normalization/sweep.h"

/// The kinds of the sums.
enum { SUM_D = 0, SUM_DY = 1, SUM_D_DY = 2 };

typedef struct backward_call {
    norm_sweep sweep;
    const float *x, *dy, *gamma, *inverse_deviation;
    float *dx, *dgamma, *dbeta;
    bool accumulate;
} backward_call;

static void gradient_sums_task(void *context, int64_t part, int worker) {
    (void)worker;
    const backward_call *call = context;
    const norm_part place = ck_norm_part(&call->sweep.layout, part);
    const int64_t channels = call->sweep.layout.channels, copies = place.columns / channels;
    count_norm_part(&place, SUMS_COST);
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = norm_sums(&call->sweep, part, kind);
        for (int64_t c = 0; c < place.columns; c++) sums[c] = 0;
    }
    call->sweep.tiles->gradient_sums(
        place.rows, place.columns, call->x + place.offset, call->dy + place.offset,
        norm_parameters(&call->sweep, CENTER), norm_sums(&call->sweep, part, SUM_D),
        norm_sums(&call->sweep, part, SUM_DY), norm_sums(&call->sweep, part, SUM_D_DY));
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = norm_sums(&call->sweep, part, kind);
        for (int64_t copy = 1; copy < copies; copy++)
            for (int64_t c = 0; c < channels; c++) sums[c] += sums[copy * channels + c];
    }
}

/// With x̂ = (x − mean)/σ over N rows (Ioffe and Szegedy 2015, section 3):
/// dβ = Σdy, dγ = Σdy·x̂ and dx = γ/σ·(dy − dβ/N − x̂·dγ/N). The sums are around the rounded mean. The
/// rounded mean differs from the mean by Σd/N.
static void backward_channels_task(void *context, int64_t slice, int worker) {
    (void)worker;
    const backward_call *call = context;
    const int64_t first = slice * NORM_SLICE_CHANNELS,
                  end = min_of(call->sweep.layout.channels, first + NORM_SLICE_CHANNELS);
    const int64_t count = norm_part_count(&call->sweep.layout), total = call->sweep.layout.part_limit + 1;
    count_joined_channels(first, end, count);
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = norm_sums(&call->sweep, total, kind);
        for (int64_t c = first; c < end; c++) sums[c] = 0;
        for (int64_t part = 0; part < count; part++) {
            const double *const part_sums = norm_sums(&call->sweep, part, kind);
            for (int64_t c = first; c < end; c++) sums[c] += part_sums[c];
        }
    }
    const double rows = (double)call->sweep.rows;
    const double *const sum_d = norm_sums(&call->sweep, total, SUM_D),
                        *const sum_dy = norm_sums(&call->sweep, total, SUM_DY);
    const double *const sum_d_dy = norm_sums(&call->sweep, total, SUM_D_DY);
    for (int64_t c = first; c < end; c++) {
        const double lacking = sum_d[c] / rows, product = sum_d_dy[c] - lacking * sum_dy[c];
        const double inverse = call->inverse_deviation[c], scale = call->gamma[c] * inverse;
        const double slope = scale * inverse * inverse * product / rows;
        call->dgamma[c] = (float)(inverse * product);
        call->dbeta[c] = (float)sum_dy[c];
        norm_parameters(&call->sweep, SCALE)[c] = (float)scale;
        norm_parameters(&call->sweep, SLOPE)[c] = (float)slope;
        norm_parameters(&call->sweep, SHIFT)[c] = (float)(scale * sum_dy[c] / rows - slope * lacking);
    }
    ck_norm_repeat(&call->sweep, SCALE, first, end);
    ck_norm_repeat(&call->sweep, SLOPE, first, end);
    ck_norm_repeat(&call->sweep, SHIFT, first, end);
}

static void gradient_task(void *context, int64_t block, int worker) {
    (void)worker;
    const backward_call *call = context;
    const norm_part place = ck_norm_block(&call->sweep.layout, block);
    count_norm_part(&place, GRADIENT_COST);
    call->sweep.tiles->gradient(
        place.rows, place.columns, call->x + place.offset, call->dy + place.offset,
        norm_parameters(&call->sweep, CENTER), norm_parameters(&call->sweep, SCALE),
        norm_parameters(&call->sweep, SLOPE), norm_parameters(&call->sweep, SHIFT), call->dx + place.offset,
        call->accumulate);
}

// The gradients of gamma and beta, and the parameters of dx, in the scratch of the call that is returned.
static backward_call find_terms(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *dgamma, float *dbeta, void *scratch) {
    backward_call call = {
        .sweep = ck_norm_sweep(norm, scratch),
        .x = x,
        .dy = dy,
        .gamma = gamma,
        .inverse_deviation = inverse_deviation,
        .dgamma = dgamma,
        .dbeta = dbeta,
    };
    for (int64_t c = 0; c < norm->channels; c++) norm_parameters(&call.sweep, CENTER)[c] = mean[c];
    ck_norm_repeat(&call.sweep, CENTER, 0, norm->channels);
    ck_parallel(norm_part_count(&call.sweep.layout), norm_work(&call.sweep, SUMS_COST), gradient_sums_task, &call);
    over_channel_slices(&call.sweep, norm_part_count(&call.sweep.layout), backward_channels_task, &call);
    return call;
}

void ck_batch_norm_backward(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *dx, bool accumulate, float *dgamma, float *dbeta, void *scratch) {
    backward_call call = find_terms(norm, x, gamma, mean, inverse_deviation, dy, dgamma, dbeta, scratch);
    call.dx = dx;
    call.accumulate = accumulate;
    if (dx != NULL) over_row_blocks(&call.sweep, norm_work(&call.sweep, GRADIENT_COST), gradient_task, &call);
}

void ck_batch_norm_backward_terms(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *terms, float *dgamma, float *dbeta, void *scratch) {
    const backward_call call = find_terms(norm, x, gamma, mean, inverse_deviation, dy, dgamma, dbeta, scratch);
    const int kinds[] = {SCALE, SLOPE, SHIFT};
    for (int64_t kind = 0; kind < 3; kind++)
        for (int64_t c = 0; c < norm->channels; c++)
            terms[kind * norm->channels + c] = norm_parameters(&call.sweep, kinds[kind])[c];
}
