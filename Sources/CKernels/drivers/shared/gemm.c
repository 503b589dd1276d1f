#include "drivers/shared/gemm.h"

#include "drivers/shared/loops.h"
#include "runtime/operations.h"

const float ck_gemm_zeros[CK_MAX_TILE_VECTORS * CK_MAX_VECTOR_FLOATS];

// Panels are as wide as the largest tile. They are two vectors wide where such panels come out even and panels of three
// vectors don't: a narrow panel that is left over costs more.
gemm_panels ck_gemm_panels(const ck_kernels *kernels, int64_t columns) {
    const int64_t vectors = divide_up(columns, kernels->vector_floats), most = kernels->gemm.vectors;
    const int64_t count = divide_up(vectors, vectors % most != 0 && vectors % 2 == 0 ? min_of(most, 2) : most);
    return (gemm_panels){columns, divide_up(vectors, count) * kernels->vector_floats, count};
}

typedef struct panel_rows {
    const ck_kernels *kernels;
    const float *const *a;
    int64_t rows;
    float *c;
    int64_t c_stride, columns;
    gemm_ahead *ahead; // or NULL
} panel_rows;

static void fetch_ahead(gemm_ahead *ahead, int64_t tiles) {
    enum { PARTS = sizeof ahead->lines / sizeof ahead->lines[0] };
    for (int64_t left = tiles * ahead->lines_per_tile; left > 0 && ahead->part < PARTS;) {
        const float *start = ahead->start[ahead->part];
        const int64_t count = min_of(left, ahead->lines[ahead->part]);
        for (int64_t line = 0; line < count; line++) __builtin_prefetch(start + line * CACHE_LINE_FLOATS);
        ahead->start[ahead->part] = start + count * CACHE_LINE_FLOATS;
        ahead->lines[ahead->part] -= count;
        left -= count;
        if (ahead->lines[ahead->part] == 0) ahead->part++;
    }
}

// The most tiles that are computed between two calls of fetch_ahead.
enum { TILES_BETWEEN = 3 };

// One piece of the sum for all rows.
static void add_piece(
    const panel_rows *panel, const gemm_sum *piece, int64_t a_offset, const float *b, const float *initial) {
    const gemm_tiles *tiles = &panel->kernels->gemm;
    if (tiles->narrow != NULL && panel->columns <= tiles->narrow->vector_floats) tiles = tiles->narrow;
    int64_t vectors = 1; // a division would be noticed here
    while (vectors * tiles->vector_floats < panel->columns) vectors++;
    const bool is_short = piece->runs * piece->length <= CK_SHORT_SUM;
    int64_t most_rows = (is_short ? tiles->short_sum_rows : tiles->rows)[vectors - 1];
    gemm_tile *tile = tiles->tile[most_rows - 1][vectors - 1];
    if (vectors == 1 && tiles->tall != NULL && piece->a_distance != 0 && panel->rows >= CK_TALL_TILE_ROWS) {
        most_rows = CK_TALL_TILE_ROWS;
        tile = tiles->tall;
    }
    for (int64_t r = 0, count; r < panel->rows; r += count * most_rows) {
        const int64_t left = panel->rows - r;
        if (left < most_rows) {
            most_rows = min_of(left, CK_MAX_TILE_ROWS);
            tile = tiles->tile[most_rows - 1][vectors - 1];
        }
        for (count = 1; (count + 1) * most_rows <= left && (panel->ahead == NULL || count < TILES_BETWEEN);) count++;
        if (panel->ahead != NULL) fetch_ahead(panel->ahead, count);
        tile(
            count, piece, panel->a + r, a_offset, b, initial, panel->c + r * panel->c_stride, panel->c_stride,
            panel->columns);
    }
}

int64_t ck_gemm_tile_count(const ck_kernels *kernels, int64_t rows, int64_t columns) {
    const gemm_panels panels = ck_gemm_panels(kernels, columns);
    return panels.count * divide_up(rows, kernels->gemm.rows[panels.width / kernels->vector_floats - 1]);
}

typedef struct gemm_piece {
    int64_t runs, length;
} gemm_piece;

// The pieces of a sum have equal sizes. Short runs are cut between the runs, and long runs are cut within.
static gemm_piece piece_of(int64_t runs, int64_t length) {
    const int64_t cuts = divide_up(length, GEMM_PIECE_TERMS), cut_length = divide_up(length, cuts);
    if (cuts > 1) return (gemm_piece){1, cut_length};
    return (gemm_piece){divide_up(runs, divide_up(runs * cut_length, GEMM_PIECE_TERMS)), cut_length};
}

// One panel for the rows of `panel`.
static void multiply_panel(const panel_rows *panel, const gemm_sum *sum, const float *b, const float *initial) {
    if (sum->runs * sum->length <= GEMM_PIECE_TERMS) {
        add_piece(panel, sum, 0, b, initial);
        return;
    }
    const gemm_piece most = piece_of(sum->runs, sum->length);
    for (int64_t q = 0; q < sum->runs; q += most.runs)
        for (int64_t k = 0; k < sum->length; k += most.length) {
            gemm_sum piece = *sum;
            piece.runs = min_of(most.runs, sum->runs - q);
            piece.length = min_of(most.length, sum->length - k);
            piece.a_runs += q;
            add_piece(panel, &piece, k * sum->a_step, b + q * sum->b_run + k * sum->b_step, initial);
            initial = NULL;
        }
}

// The panels first_panel ..< end_panel for a slab of rows of A, the first of which is row `row` of C.
static void multiply_slab(
    const ck_kernels *kernels, const gemm_product *p, const float *const *a, int64_t row, int64_t rows,
    int64_t first_panel, int64_t end_panel) {
    const bool has_values = p->initial != NULL && p->initial != ck_gemm_zeros;
    for (int64_t index = first_panel; index < end_panel; index++) {
        const int64_t column = index * p->panels.width;
        const panel_rows panel = {
            kernels, a, rows, p->c + row * p->c_stride + column, p->c_stride, gemm_panel_columns(&p->panels, index),
            p->ahead};
        if (p->before_panel != NULL) p->before_panel(p->context, index);
        multiply_panel(&panel, &p->sum, p->b + index * p->b_panel, has_values ? p->initial + column : p->initial);
    }
}

void ck_gemm_find_rows(const gemm_rows *rows, int64_t first, int64_t count, const float **starts) {
    // The first run needs no division, which small products would notice.
    if (first + count <= rows->run) {
        for (int64_t i = 0; i < count; i++) starts[i] = rows->start + (first + i) * rows->step;
        return;
    }
    int64_t in_run = first % rows->run;
    const float *run = rows->start + first / rows->run * rows->run_step;
    for (int64_t i = 0; i < count; i++) {
        starts[i] = run + in_run * rows->step;
        if (++in_run == rows->run) in_run = 0, run += rows->run_step;
    }
}

static void count_product(const gemm_product *product, int64_t rows) {
    ck_count_operations(2 * rows * product->panels.columns * product->sum.runs * product->sum.length);
}

void ck_gemm_slab(const ck_kernels *kernels, const gemm_product *product, const float *const *a, int64_t rows) {
    count_product(product, rows);
    multiply_slab(kernels, product, a, 0, rows, 0, product->panels.count);
}

void ck_gemm(const ck_kernels *kernels, const gemm_product *product, const gemm_rows *rows, int64_t count) {
    const int64_t all_rows = count + (rows->extra != NULL), panels = product->panels.count;
    const int64_t at_once = product->panels_outside ? 1 : panels;
    count_product(product, all_rows);
    for (int64_t panel = 0; panel < panels; panel += at_once)
        for (int64_t first = 0; first < all_rows; first += GEMM_SLAB_ROWS) {
            const int64_t slab = min_of(GEMM_SLAB_ROWS, all_rows - first);
            const float *starts[GEMM_SLAB_ROWS];
            ck_gemm_find_rows(rows, first, min_of(slab, count - first), starts);
            if (first + slab > count) starts[slab - 1] = rows->extra;
            multiply_slab(kernels, product, starts, first, slab, panel, panel + at_once);
        }
}

void ck_gemm_loops(ck_plan *plan, int64_t runs, int64_t length) {
    const gemm_piece piece = piece_of(runs, length);
    if (piece.length < length) add_loop(plan, "pieces of a run", length, piece.length);
    else add_loop(plan, "pieces of several runs", runs, piece.runs);
}
