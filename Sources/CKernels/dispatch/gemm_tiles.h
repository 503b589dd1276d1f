#ifndef CK_GEMM_TILES_H
#define CK_GEMM_TILES_H

#include <stdbool.h>
#include <stdint.h>

// No tile but the tall one is larger than this in any instruction set.
enum { CK_MAX_TILE_ROWS = 8, CK_MAX_TILE_VECTORS = 3, CK_MAX_VECTOR_FLOATS = 16, CK_TALL_TILE_ROWS = 16 };

// A sum of at most so many terms is short: the time to store the tiles counts.
enum { CK_SHORT_SUM = 128 };

/// The terms of a sum Σ_q Σ_k a_r[a_runs[q] + k·a_step] · b[q·b_run + k·b_step + n], 0 ≤ q < runs, 0 ≤ k < length:
/// the summed dimension is a number of equally long runs. Distances are in floats.
typedef struct gemm_sum {
    int64_t runs, length;
    const int64_t *a_runs;
    int64_t a_step;
    int64_t b_run, b_step;
    int64_t b_ahead;    ///< how far ahead of its use B is prefetched: 0 unless it comes from memory
    int64_t a_distance; ///< from one row of A to the next if they are equally far apart, else 0
} gemm_sum;

/// c[r·c_stride + n] = initial[n] + that sum, or += that sum if `initial` is NULL, for the rows r of `tiles` tiles and
/// n < columns. Row r of A starts at a[r] + a_offset. `columns` is above (vectors − 1)·vector_floats; nothing past it
/// is touched. Terms are added in order of (q, k), so a result does not depend on the tile it is computed in.
typedef void gemm_tile(
    int64_t tiles, const gemm_sum *sum, const float *const *a, int64_t a_offset, const float *b, const float *initial,
    float *c, int64_t c_stride, int64_t columns);

typedef struct gemm_tiles {
    int vector_floats;
    int vectors;                                            ///< columns of the widest tile, in vectors
    int rows[CK_MAX_TILE_VECTORS];                          ///< of the highest tile of 1, 2, … vectors,
    int short_sum_rows[CK_MAX_TILE_VECTORS];                ///< and of the best for short sums
    gemm_tile *tile[CK_MAX_TILE_ROWS][CK_MAX_TILE_VECTORS]; ///< [rows − 1][vectors − 1]

    /// 16 rows of one vector, for rows of A that are equally far apart. The tile reads the pointer of the first row
    /// only. May be NULL.
    gemm_tile *tall;

    /// sums[n] = Σ rows[r·columns + n] in order of r, or += that unless `first`, for n < columns.
    void (*sum_rows)(const float *rows, int64_t row_count, int64_t columns, bool first, float *sums);

    /// target[j·target_stride + i] = source[i·source_stride + j] for i < rows, j < columns.
    void (*transpose)(
        const float *source, int64_t source_stride, int64_t rows, int64_t columns, float *target,
        int64_t target_stride);

    /// Tiles of a shorter vector, for products that fit in one such vector. The CPU multiplies more than one shorter
    /// vector per cycle. May be NULL.
    const struct gemm_tiles *narrow;
} gemm_tiles;

#endif
