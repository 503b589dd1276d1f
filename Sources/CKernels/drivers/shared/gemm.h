#ifndef CK_GEMM_H
#define CK_GEMM_H

#include <string.h>

#include "dispatch/kernels.h"
#include "drivers/shared/scratch.h"
#include "include/ck_plans.h"

/// The columns of a product in panels as wide as the largest tile or, where that wastes less, a little narrower.
typedef struct gemm_panels {
    int64_t columns, width, count;
} gemm_panels;

gemm_panels ck_gemm_panels(const ck_kernels *kernels, int64_t columns);

/// The floats that `columns` packed columns may take: `columns` rounded up to whole panels of any instruction set.
static inline int64_t gemm_padded_columns(int64_t columns) {
    return round_up(columns, CK_MAX_TILE_VECTORS * CK_MAX_VECTOR_FLOATS);
}

static inline int64_t gemm_panel_columns(const gemm_panels *panels, int64_t panel) {
    return min_of(panels->width, panels->columns - panel * panels->width);
}

/// At most `count` of the panels, from panel `first`.
static inline gemm_panels gemm_panel_range(const gemm_panels *panels, int64_t first, int64_t count) {
    const int64_t end = min_of(first + count, panels->count);
    const int64_t columns = min_of((end - first) * panels->width, panels->columns - first * panels->width);
    return (gemm_panels){columns, panels->width, end - first};
}

/// Copies one panel of B: `rows` rows, panels->columns floats apart, become [rows][width].
static inline void gemm_pack_panel(
    const gemm_panels *panels, int64_t panel, const float *b, int64_t rows, float *packed) {
    const float *source = b + panel * panels->width;
    const size_t bytes = (size_t)gemm_panel_columns(panels, panel) * sizeof(float);
    for (int64_t k = 0; k < rows; k++) memcpy(packed + k * panels->width, source + k * panels->columns, bytes);
}

/// A slab is at most this many rows of A, which share a pass over a panel of B. Divisible by the rows of every tile.
enum { GEMM_SLAB_ROWS = 48 };

/// Terms of a sum that are added in one pass over the rows.
enum { GEMM_PIECE_TERMS = 256 };

/// The `a_runs` of a sum of one run.
static const int64_t no_offset = 0;

/// The initial value of sums that start from nothing: as many zeros as a panel has columns.
extern const float ck_gemm_zeros[CK_MAX_TILE_VECTORS * CK_MAX_VECTOR_FLOATS];

/// The loops over the pieces of a sum.
void ck_gemm_loops(ck_plan *plan, int64_t runs, int64_t length);

/// Memory that will be read or overwritten soon. It is prefetched a little with every tile, so that it arrives while
/// tiles are computed. The pixels of a large tensor come in more streams than the processor follows by itself, and a
/// store that misses the cache holds up the stores behind it.
typedef struct gemm_ahead {
    const float *start[4];
    int64_t lines[4]; ///< of the cache
    int64_t part;     ///< the first that has lines left
    int64_t lines_per_tile;
} gemm_ahead;

static inline void gemm_ahead_add(gemm_ahead *ahead, int part, const float *start, int64_t floats) {
    ahead->start[part] = start;
    ahead->lines[part] = divide_up(floats, CACHE_LINE_FLOATS);
}

/// Spreads the lines, so that all of them are fetched after so many tiles.
static inline void gemm_ahead_spread(gemm_ahead *ahead, int64_t tiles) {
    ahead->lines_per_tile = divide_up(ahead->lines[0] + ahead->lines[1] + ahead->lines[2] + ahead->lines[3], tiles);
}

/// A product C = A·B, the columns of B in panels. Each slab of rows of A meets each panel once.
typedef struct gemm_product {
    gemm_sum sum;
    gemm_panels panels;
    const float *b;       ///< the first panel
    int64_t b_panel;      ///< from one panel to the next
    const float *initial; ///< the start of the sums, a float for each column; ck_gemm_zeros; or NULL: C
    float *c;             ///< the first row
    int64_t c_stride;
    /// Each panel meets all rows before the next panel does. Otherwise, each slab meets all panels.
    bool panels_outside;
    gemm_ahead *ahead; ///< fetched with the tiles, or NULL
    /// Called with `context` before each panel, or NULL.
    void (*before_panel)(const void *context, int64_t panel);
    const void *context;
} gemm_product;

/// Where rows of A start: row r at start + r / run·run_step + r % run·step.
typedef struct gemm_rows {
    const float *start;
    int64_t run, run_step, step;
    const float *extra; ///< the start of one more row at the end, or NULL
} gemm_rows;

/// Rows of A that are `distance` apart.
static inline gemm_rows gemm_rows_apart(const float *start, int64_t distance) {
    return (gemm_rows){.start = start, .run = INT64_MAX, .step = distance};
}

/// The starts of the rows first ..< first + count, without `extra`.
void ck_gemm_find_rows(const gemm_rows *rows, int64_t first, int64_t count, const float **starts);

/// The product for the rows of one slab, with their starts. The sum is taken in pieces of about 256 terms, so that a
/// piece of a panel stays in the L1 cache while all rows pass.
void ck_gemm_slab(const ck_kernels *kernels, const gemm_product *product, const float *const *a, int64_t rows);

/// The product for `count` rows, and one more if there is an extra one.
void ck_gemm(const ck_kernels *kernels, const gemm_product *product, const gemm_rows *rows, int64_t count);

/// How many tiles give `rows` × `columns`, if the sum is one piece. A tall tile counts as two. So half of the memory
/// ahead is fetched where tiles are tall: all of it would drive the operands of the product from L1 (2 to 3 % of a step
/// of ResNet50).
int64_t ck_gemm_tile_count(const ck_kernels *kernels, int64_t rows, int64_t columns);

#endif
