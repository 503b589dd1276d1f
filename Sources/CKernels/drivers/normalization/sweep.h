#ifndef CK_NORMALIZATION_SWEEP_H
#define CK_NORMALIZATION_SWEEP_H

#include "dispatch/kernels.h"
#include "drivers/shared/blocks.h"
#include "drivers/shared/scratch.h"
#include "include/ck_normalization.h"
#include "runtime/operations.h"
#include "runtime/threads.h"

// The parts that the passes of batch normalisation share. A pass sweeps over the rows, joins the sums of the parts for
// each channel, and sweeps over the rows again with the parameters that follow from the sums.

/// How x [rows][channels] is read. With few channels, `fold` rows are taken as one long row, so that vectors are full:
///
///     rows × channels  =  long_rows × columns  +  rest_rows × channels       columns = fold·channels
///
/// The long rows are cut into parts, and the rest is a part of its own.
typedef struct norm_layout {
    int64_t channels, fold, columns, long_rows, rest_rows;
    parts cut;
    int64_t block_rows; ///< long rows of one task of the last sweep
    int64_t part_limit; ///< cut.count never exceeds this limit, which does not shrink when rows grow
} norm_layout;

norm_layout ck_norm_layout(const ck_batch_norm *norm);

/// A stretch of the rows: where it begins, how many rows it has, and how long these rows are.
typedef struct norm_part {
    int64_t offset, rows, columns;
} norm_part;

/// A part of the sums.
norm_part ck_norm_part(const norm_layout *layout, int64_t part);

/// Parts of the sums, the rest included.
static inline int64_t norm_part_count(const norm_layout *layout) { return layout->cut.count + (layout->rest_rows > 0); }

/// A block of long rows. The rest is a block of its own: its rows count as one shorter long row.
norm_part ck_norm_block(const norm_layout *layout, int64_t block);

/// Scratch holds the sums, [part][kind][columns] in double, with one part more for the rest of the rows and one for the
/// total. Behind them it holds the parameters of the last sweep, [kind][columns].
enum { SUM_KINDS = 3, PARAMETER_KINDS = 4 };

/// The parameters of the last sweep.
enum { CENTER = 0, SCALE = 1, SHIFT = 2, SLOPE = 3 };

typedef struct norm_memory {
    double *sums;
    float *parameters;
    size_t size;
} norm_memory;

/// NULL as the scratch gives the size alone.
norm_memory ck_norm_memory(const norm_layout *layout, void *scratch);

typedef struct norm_sweep {
    const normalization_tiles *tiles;
    norm_layout layout;
    int64_t rows;
    norm_memory memory;
} norm_sweep;

norm_sweep ck_norm_sweep(const ck_batch_norm *norm, void *scratch);

static inline double *norm_sums(const norm_sweep *sweep, int64_t part, int kind) {
    return sweep->memory.sums + (part * SUM_KINDS + kind) * sweep->layout.columns;
}

static inline float *norm_parameters(const norm_sweep *sweep, int kind) {
    return sweep->memory.parameters + kind * sweep->layout.columns;
}

/// Copies the parameters of the channels first ..< end to the other columns of a long row.
void ck_norm_repeat(const norm_sweep *sweep, int kind, int64_t first, int64_t end);

/// The work of a sweep that takes so many operations for each element.
static inline double norm_work(const norm_sweep *sweep, int operations) {
    return (double)sweep->rows * (double)sweep->layout.channels * operations;
}

/// Operations on each element: to find moments, to normalise, to find the sums of gradients, and to find a gradient.
enum { MOMENTS_COST = 6, NORMALIZE_COST = 8, SUMS_COST = 10, GRADIENT_COST = 12 };

/// Counts the operations of a sweep over a part or a block of the rows.
static inline void count_norm_part(const norm_part *part, int operations) {
    ck_count_operations(part->rows * part->columns * operations);
}

/// Operations to join one sum of a part.
enum { JOIN_COST = 10 };

/// Counts the operations that join the sums of `parts` parts for the channels first ..< end.
static inline void count_joined_channels(int64_t first, int64_t end, int64_t parts) {
    ck_count_operations((end - first) * parts * JOIN_COST);
}

/// A cache line of doubles, so that threads share no line of the sums.
enum { NORM_SLICE_CHANNELS = 8 };

/// Runs `task` over slices of channels, to join the sums of `parts` parts.
static inline void over_channel_slices(const norm_sweep *sweep, int64_t parts, ck_task task, void *context) {
    ck_parallel(
        divide_up(sweep->layout.channels, NORM_SLICE_CHANNELS),
        joining_work((double)sweep->layout.channels * (double)parts * JOIN_COST), task, context);
}

/// Runs `task` over blocks of rows.
static inline void over_row_blocks(const norm_sweep *sweep, double work, ck_task task, void *context) {
    const norm_layout *layout = &sweep->layout;
    const int64_t blocks = divide_up(layout->long_rows, layout->block_rows);
    ck_parallel(blocks + (layout->rest_rows > 0), work, task, context);
}

/// Columns of x that inference handles at a time.
enum { INFERENCE_COLUMNS = 1024 };

#endif
