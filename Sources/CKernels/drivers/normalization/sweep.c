// Batch normalisation: how the rows are divided, and the memory of a call.

#include "drivers/normalization/sweep.h"

#include "drivers/shared/loops.h"

norm_layout ck_norm_layout(const ck_batch_norm *norm) {
    const int64_t rows = norm->rows, channels = norm->channels;
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
    layout.block_rows = length_for_threads(layout.long_rows, 1, rows_per_block(layout.columns) * STREAM_BLOCKS);
    layout.part_limit = min_of(MAX_PARTS, divide_up(layout.long_rows, minimum));
    return layout;
}

norm_part ck_norm_part(const norm_layout *layout, int64_t part) {
    if (part == layout->cut.count)
        return (norm_part){layout->long_rows * layout->columns, layout->rest_rows, layout->channels};
    const int64_t first = part * layout->cut.length;
    return (norm_part){first * layout->columns, min_of(layout->cut.length, layout->long_rows - first), layout->columns};
}

norm_part ck_norm_block(const norm_layout *layout, int64_t block) {
    const int64_t block_rows = layout->block_rows, first = block * block_rows;
    if (first >= layout->long_rows)
        return (norm_part){layout->long_rows * layout->columns, 1, layout->rest_rows * layout->channels};
    return (norm_part){first * layout->columns, min_of(block_rows, layout->long_rows - first), layout->columns};
}

norm_memory ck_norm_memory(const norm_layout *layout, void *scratch) {
    scratch_parts parts = {.base = scratch};
    norm_memory memory;
    memory.sums = take_doubles(&parts, (layout->part_limit + 2) * SUM_KINDS * layout->columns);
    memory.parameters = take_floats(&parts, PARAMETER_KINDS * layout->columns);
    memory.size = parts.size;
    return memory;
}

norm_sweep ck_norm_sweep(const ck_batch_norm *norm, void *scratch) {
    norm_sweep sweep = {
        .tiles = &ck_kernels_current()->normalization, .layout = ck_norm_layout(norm), .rows = norm->rows};
    sweep.memory = ck_norm_memory(&sweep.layout, scratch);
    return sweep;
}

void ck_norm_repeat(const norm_sweep *sweep, int kind, int64_t first, int64_t end) {
    float *const values = norm_parameters(sweep, kind);
    for (int64_t copy = 1; copy < sweep->layout.fold; copy++)
        for (int64_t c = first; c < end; c++) values[copy * sweep->layout.channels + c] = values[c];
}

size_t ck_batch_norm_scratch(const ck_batch_norm *norm) {
    const norm_layout layout = ck_norm_layout(norm);
    return ck_norm_memory(&layout, NULL).size;
}

ck_plan ck_batch_norm_plan(const ck_batch_norm *norm) {
    const norm_layout layout = ck_norm_layout(norm);
    ck_plan loops = {0};
    if (layout.fold > 1) add_loop(&loops, "long rows", norm->rows, layout.fold);
    add_loop(&loops, "parts of the rows", layout.long_rows, max_of(layout.cut.length, 1));
    add_loop(&loops, "blocks of rows", layout.long_rows, layout.block_rows);
    add_loop(&loops, "slices of channels", norm->channels, NORM_SLICE_CHANNELS);
    add_loop(&loops, "strips of columns in inference", layout.columns, INFERENCE_COLUMNS);
    return loops;
}
