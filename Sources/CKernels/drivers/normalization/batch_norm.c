#include "include/ck_normalization.h"

#include <math.h>

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/loops.h"
#include "drivers/shared/post_ops.h"
#include "drivers/shared/scratch.h"
#include "runtime/threads.h"

/// How x [rows][channels] is read. With few channels, `fold` rows are taken as one long row, so that vectors are full:
///
///     rows × channels  =  long_rows × columns  +  rest_rows × channels       columns = fold·channels
///
/// The long rows are cut into parts, and the rest is a part of its own.
typedef struct norm_layout {
    int64_t channels, fold, columns, long_rows, rest_rows;
    parts cut;
    int64_t part_limit; ///< cut.count never exceeds this limit, which does not shrink when rows grow
} norm_layout;

static norm_layout layout_of(int64_t rows, int64_t channels) {
    enum { LONG_ENOUGH = 64, MULTIPLE = 16 };
    norm_layout layout = {.channels = channels, .fold = 1};
    if (channels < LONG_ENOUGH) {
        while (layout.fold * channels % MULTIPLE != 0 || layout.fold * channels < LONG_ENOUGH) layout.fold *= 2;
    }
    layout.columns = layout.fold * channels;
    layout.long_rows = rows / layout.fold;
    layout.rest_rows = rows % layout.fold;
    const int64_t minimum = rows_per_block(layout.columns) * 2;
    layout.cut = cut_into_parts(layout.long_rows, minimum);
    layout.part_limit = min_of(MAX_PARTS, divide_up(layout.long_rows, minimum));
    return layout;
}

/// Scratch holds the sums, [part][kind][columns] in double, with one part more for the rest of the rows and one for the
/// total. Behind them it holds the parameters of the last sweep, [kind][columns].
enum { SUM_KINDS = 3, PARAMETER_KINDS = 4 };

typedef struct norm_memory {
    double *sums;
    float *parameters;
    size_t size;
} norm_memory;

static norm_memory memory_of(const norm_layout *layout, void *scratch) {
    scratch_parts parts = {.base = scratch};
    norm_memory memory;
    memory.sums = take_doubles(&parts, (layout->part_limit + 2) * SUM_KINDS * layout->columns);
    memory.parameters = take_floats(&parts, PARAMETER_KINDS * layout->columns);
    memory.size = parts.size;
    return memory;
}

size_t ck_batch_norm_scratch(const ck_batch_norm *norm) {
    const norm_layout layout = layout_of(norm->rows, norm->channels);
    return memory_of(&layout, NULL).size;
}

typedef struct norm_call {
    const normalization_tiles *tiles;
    norm_layout layout;
    int64_t rows;
    float epsilon;
    const float *x, *dy, *gamma, *beta;
    const ck_moments *moments; ///< of x, if they are known
    float momentum;
    bool unbiased_running_variance;
    float *running_mean, *running_variance;
    float *mean, *inverse_deviation;                    ///< of the forward pass
    const float *saved_inverse_deviation;               ///< of the backward pass
    const float *population_mean, *population_variance; ///< of inference
    const ck_post_ops *post_ops;
    float *y, *dx, *dgamma, *dbeta;
    bool accumulate;
    norm_memory memory;
} norm_call;

static norm_call call_of(const ck_batch_norm *norm, void *scratch) {
    norm_call call = {
        .tiles = &ck_kernels_current()->normalization,
        .layout = layout_of(norm->rows, norm->channels),
        .rows = norm->rows,
        .epsilon = norm->epsilon};
    call.memory = memory_of(&call.layout, scratch);
    return call;
}

static double *sums_of(const norm_call *call, int64_t part, int kind) {
    return call->memory.sums + (part * SUM_KINDS + kind) * call->layout.columns;
}

static float *parameters_of(const norm_call *call, int kind) {
    return call->memory.parameters + kind * call->layout.columns;
}

static int64_t part_count(const norm_call *call) { return call->layout.cut.count + (call->layout.rest_rows > 0); }

/// A part of the rows: where the part begins, how many rows it has, and how long these rows are.
typedef struct norm_part {
    int64_t offset, rows, columns;
} norm_part;

static norm_part part_at(const norm_layout *layout, int64_t part) {
    if (part == layout->cut.count)
        return (norm_part){layout->long_rows * layout->columns, layout->rest_rows, layout->channels};
    const int64_t first = part * layout->cut.length;
    return (norm_part){first * layout->columns, min_of(layout->cut.length, layout->long_rows - first), layout->columns};
}

/// Rows of x in a part.
static int64_t rows_of_part(const norm_layout *layout, int64_t part) {
    const norm_part place = part_at(layout, part);
    return place.rows * (place.columns / layout->channels);
}

static double sweep_work(const norm_call *call, int operations) {
    return (double)call->rows * (double)call->layout.channels * operations;
}

enum { SLICE_CHANNELS = 64 };

/// Runs `task` over slices of channels, to add up what `parts_each` parts found.
static void over_channel_slices(norm_call *call, int64_t parts_each, ck_task task) {
    ck_parallel(
        divide_up(call->layout.channels, SLICE_CHANNELS), CK_MAX_WORKERS,
        (double)call->layout.channels * (double)parts_each * 10, task, call);
}

/// Copies the parameters of the first `channels` columns to the other columns of a long row.
static void repeat_parameters(const norm_call *call, int kind, int64_t first, int64_t end) {
    float *const values = parameters_of(call, kind);
    for (int64_t copy = 1; copy < call->layout.fold; copy++)
        for (int64_t c = first; c < end; c++) values[copy * call->layout.channels + c] = values[c];
}

/// Long rows of one task of a sweep over x.
static int64_t block_rows_of(const norm_layout *layout) { return rows_per_block(layout->columns) * STREAM_BLOCKS; }

/// Runs `task` over blocks of long rows and the rest, whose rows count as one shorter long row.
static void over_row_blocks(norm_call *call, double work, ck_task task) {
    const norm_layout *layout = &call->layout;
    const int64_t blocks = divide_up(layout->long_rows, block_rows_of(layout));
    ck_parallel(blocks + (layout->rest_rows > 0), CK_MAX_WORKERS, work, task, call);
}

static norm_part block_at(const norm_layout *layout, int64_t block) {
    const int64_t block_rows = block_rows_of(layout), first = block * block_rows;
    if (first >= layout->long_rows)
        return (norm_part){layout->long_rows * layout->columns, 1, layout->rest_rows * layout->channels};
    return (norm_part){first * layout->columns, min_of(block_rows, layout->long_rows - first), layout->columns};
}

// Forward, training

enum { MEAN = 0, SQUARES = 1 };
enum { CENTER = 0, SCALE = 1, SHIFT = 2, SLOPE = 3 };

static void moments_task(void *context, int64_t part, int worker) {
    (void)worker;
    const norm_call *call = context;
    const norm_part place = part_at(&call->layout, part);
    const int64_t channels = call->layout.channels, copies = place.columns / channels;
    double *const mean = sums_of(call, part, MEAN), *const squares = sums_of(call, part, SQUARES);
    call->tiles->moments(0, place.rows, place.columns, call->x + place.offset, mean, squares);
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

static int64_t moments_count(const norm_call *call) {
    return call->moments != NULL ? divide_up(call->rows, call->moments->part_rows) : part_count(call);
}

static part_moments moments_at(const norm_call *call, int64_t part) {
    if (call->moments == NULL)
        return (part_moments){
            sums_of(call, part, MEAN), sums_of(call, part, SQUARES), (double)rows_of_part(&call->layout, part)};
    const int64_t channels = call->layout.channels, part_rows = call->moments->part_rows;
    const double *const mean = call->moments->values + part * 2 * channels;
    return (part_moments){mean, mean + channels, (double)min_of(part_rows, call->rows - part * part_rows)};
}

static void forward_channels_task(void *context, int64_t slice, int worker) {
    (void)worker;
    const norm_call *call = context;
    const int64_t first = slice * SLICE_CHANNELS, end = min_of(call->layout.channels, first + SLICE_CHANNELS);
    const int64_t count = moments_count(call), total = call->layout.part_limit + 1;
    const double rows = (double)call->rows;
    double *const mean = sums_of(call, total, MEAN), *const squares = sums_of(call, total, SQUARES);
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
    const double unbiased = call->unbiased_running_variance && call->rows > 1 ? rows / (rows - 1) : 1;
    const double kept = call->momentum, moved = 1 - kept;
    float *const center = parameters_of(call, CENTER), *const scale = parameters_of(call, SCALE);
    float *const shift = parameters_of(call, SHIFT);
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
    repeat_parameters(call, CENTER, first, end);
    repeat_parameters(call, SCALE, first, end);
    repeat_parameters(call, SHIFT, first, end);
}

static void normalize_task(void *context, int64_t block, int worker) {
    (void)worker;
    const norm_call *call = context;
    const norm_part place = block_at(&call->layout, block);
    call->tiles->scale_shift(
        place.rows, place.columns, call->x + place.offset, parameters_of(call, CENTER), parameters_of(call, SCALE),
        parameters_of(call, SHIFT), call->y + place.offset);
    ck_apply_post_ops(ck_kernels_current(), call->post_ops, place.offset, place.rows * place.columns, call->y);
}

void ck_batch_norm_forward_training(
    const ck_batch_norm *norm, const float *x, const ck_moments *moments, const float *gamma, const float *beta,
    float momentum, bool unbiased_running_variance, float *running_mean, float *running_variance, float *mean,
    float *inverse_deviation, const ck_post_ops *post_ops, float *y, void *scratch) {
    norm_call call = call_of(norm, scratch);
    call.x = x;
    call.gamma = gamma;
    call.beta = beta;
    call.moments = moments != NULL && moments->values != NULL ? moments : NULL;
    call.momentum = momentum;
    call.unbiased_running_variance = unbiased_running_variance;
    call.running_mean = running_mean;
    call.running_variance = running_variance;
    call.mean = mean;
    call.inverse_deviation = inverse_deviation;
    call.post_ops = post_ops;
    call.y = y;
    if (call.moments == NULL) ck_parallel(part_count(&call), CK_MAX_WORKERS, sweep_work(&call, 6), moments_task, &call);
    over_channel_slices(&call, moments_count(&call), forward_channels_task);
    over_row_blocks(&call, sweep_work(&call, 8), normalize_task);
}

// Backward

enum { SUM_D = 0, SUM_DY = 1, SUM_D_DY = 2 };

static void gradient_sums_task(void *context, int64_t part, int worker) {
    (void)worker;
    const norm_call *call = context;
    const norm_part place = part_at(&call->layout, part);
    const int64_t channels = call->layout.channels, copies = place.columns / channels;
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = sums_of(call, part, kind);
        for (int64_t c = 0; c < place.columns; c++) sums[c] = 0;
    }
    call->tiles->gradient_sums(
        place.rows, place.columns, call->x + place.offset, call->dy + place.offset, parameters_of(call, CENTER),
        sums_of(call, part, SUM_D), sums_of(call, part, SUM_DY), sums_of(call, part, SUM_D_DY));
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = sums_of(call, part, kind);
        for (int64_t copy = 1; copy < copies; copy++)
            for (int64_t c = 0; c < channels; c++) sums[c] += sums[copy * channels + c];
    }
}

/// With x̂ = (x − mean)/σ over N rows (Ioffe and Szegedy 2015, section 3):
/// dβ = Σdy, dγ = Σdy·x̂ and dx = γ/σ·(dy − dβ/N − x̂·dγ/N). The sums are around the rounded mean. The
/// rounded mean differs from the mean by Σd/N.
static void backward_channels_task(void *context, int64_t slice, int worker) {
    (void)worker;
    const norm_call *call = context;
    const int64_t first = slice * SLICE_CHANNELS, end = min_of(call->layout.channels, first + SLICE_CHANNELS);
    const int64_t count = part_count(call), total = call->layout.part_limit + 1;
    for (int kind = 0; kind < SUM_KINDS; kind++) {
        double *const sums = sums_of(call, total, kind);
        for (int64_t c = first; c < end; c++) sums[c] = 0;
        for (int64_t part = 0; part < count; part++) {
            const double *const part_sums = sums_of(call, part, kind);
            for (int64_t c = first; c < end; c++) sums[c] += part_sums[c];
        }
    }
    const double rows = (double)call->rows;
    const double *const sum_d = sums_of(call, total, SUM_D), *const sum_dy = sums_of(call, total, SUM_DY);
    const double *const sum_d_dy = sums_of(call, total, SUM_D_DY);
    for (int64_t c = first; c < end; c++) {
        const double lacking = sum_d[c] / rows, product = sum_d_dy[c] - lacking * sum_dy[c];
        const double inverse = call->saved_inverse_deviation[c], scale = call->gamma[c] * inverse;
        const double slope = scale * inverse * inverse * product / rows;
        call->dgamma[c] = (float)(inverse * product);
        call->dbeta[c] = (float)sum_dy[c];
        parameters_of(call, SCALE)[c] = (float)scale;
        parameters_of(call, SLOPE)[c] = (float)slope;
        parameters_of(call, SHIFT)[c] = (float)(scale * sum_dy[c] / rows - slope * lacking);
    }
    repeat_parameters(call, SCALE, first, end);
    repeat_parameters(call, SLOPE, first, end);
    repeat_parameters(call, SHIFT, first, end);
}

static void gradient_task(void *context, int64_t block, int worker) {
    (void)worker;
    const norm_call *call = context;
    const norm_part place = block_at(&call->layout, block);
    call->tiles->gradient(
        place.rows, place.columns, call->x + place.offset, call->dy + place.offset, parameters_of(call, CENTER),
        parameters_of(call, SCALE), parameters_of(call, SLOPE), parameters_of(call, SHIFT), call->dx + place.offset,
        call->accumulate);
}

static norm_call backward_call_of(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *dgamma, float *dbeta, void *scratch) {
    norm_call call = call_of(norm, scratch);
    call.x = x;
    call.dy = dy;
    call.gamma = gamma;
    call.saved_inverse_deviation = inverse_deviation;
    call.dgamma = dgamma;
    call.dbeta = dbeta;
    for (int64_t c = 0; c < norm->channels; c++) parameters_of(&call, CENTER)[c] = mean[c];
    repeat_parameters(&call, CENTER, 0, norm->channels);
    ck_parallel(part_count(&call), CK_MAX_WORKERS, sweep_work(&call, 10), gradient_sums_task, &call);
    over_channel_slices(&call, part_count(&call), backward_channels_task);
    return call;
}

void ck_batch_norm_backward(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *dx, bool accumulate, float *dgamma, float *dbeta, void *scratch) {
    norm_call call = backward_call_of(norm, x, gamma, mean, inverse_deviation, dy, dgamma, dbeta, scratch);
    call.dx = dx;
    call.accumulate = accumulate;
    if (dx != NULL) over_row_blocks(&call, sweep_work(&call, 12), gradient_task);
}

void ck_batch_norm_backward_terms(
    const ck_batch_norm *norm, const float *x, const float *gamma, const float *mean, const float *inverse_deviation,
    const float *dy, float *terms, float *dgamma, float *dbeta, void *scratch) {
    const norm_call call = backward_call_of(norm, x, gamma, mean, inverse_deviation, dy, dgamma, dbeta, scratch);
    const int kinds[] = {SCALE, SLOPE, SHIFT};
    for (int64_t kind = 0; kind < 3; kind++)
        for (int64_t c = 0; c < norm->channels; c++)
            terms[kind * norm->channels + c] = parameters_of(&call, kinds[kind])[c];
}

// Forward, inference

enum { STRIP_COLUMNS = 1024 };

/// The parameters are on the stack of each task, for a strip of columns at a time. A long row of few channels is one
/// strip.
static void inference_task(void *context, int64_t task, int worker) {
    (void)worker;
    const norm_call *call = context;
    const norm_layout *layout = &call->layout;
    const int64_t block_rows = block_rows_of(layout), first = task * block_rows;
    const int64_t end = min_of(layout->long_rows, first + block_rows);
    for (int64_t strip = 0; strip < layout->columns; strip += STRIP_COLUMNS) {
        float center[STRIP_COLUMNS], scale[STRIP_COLUMNS], shift[STRIP_COLUMNS];
        const int64_t width = min_of(STRIP_COLUMNS, layout->columns - strip);
        for (int64_t c = 0; c < width; c++) {
            const int64_t channel = strip + c;
            if (channel < layout->channels) {
                center[c] = call->population_mean[channel];
                scale[c] =
                    (float)(call->gamma[channel] / sqrt((double)call->population_variance[channel] + call->epsilon));
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
    norm_call call = {
        .tiles = &ck_kernels_current()->normalization,
        .layout = layout_of(norm->rows, norm->channels),
        .rows = norm->rows,
        .epsilon = norm->epsilon,
        .x = x,
        .gamma = gamma,
        .beta = beta,
        .population_mean = running_mean,
        .population_variance = running_variance,
        .post_ops = post_ops,
        .y = y};
    const int64_t block_rows = block_rows_of(&call.layout);
    ck_parallel(
        max_of(1, divide_up(call.layout.long_rows, block_rows)), CK_MAX_WORKERS, sweep_work(&call, 8), inference_task,
        &call);
}

ck_plan ck_batch_norm_plan(const ck_batch_norm *norm) {
    const norm_layout layout = layout_of(norm->rows, norm->channels);
    ck_plan loops = {0};
    if (layout.fold > 1) add_loop(&loops, "long rows", norm->rows, layout.fold);
    add_loop(&loops, "parts of the rows", layout.long_rows, max_of(layout.cut.length, 1));
    add_loop(&loops, "blocks of rows", layout.long_rows, block_rows_of(&layout));
    add_loop(&loops, "slices of channels", norm->channels, SLICE_CHANNELS);
    add_loop(&loops, "strips of columns", layout.columns, STRIP_COLUMNS);
    return loops;
}
