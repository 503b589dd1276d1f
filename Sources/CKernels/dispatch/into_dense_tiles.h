#ifndef CK_INTO_DENSE_TILES_H
#define CK_INTO_DENSE_TILES_H

#include "include/ck_activation.h"

// Tiles of a convolution into a dense layer. The products are too short for the general tiles. So each tile takes all
// rows and columns of a chunk in one call, and applies the activation at once. Distances are in floats. Columns are
// whole vectors; where a comment says so, rows are whole blocks. Chunks are padded, and the values in the padding stay
// there.

/// The most columns of a chunk: a multiple of two vectors of any instruction set.
enum { INTO_DENSE_COLUMNS = 32 };
/// Rows are padded to blocks of this many: a multiple of the rows of a tile in any instruction set.
enum { INTO_DENSE_PADDED_ROWS = 8 };

typedef struct into_dense_tiles {
    /// c[r·c_step + v] = Σ_t a[t·a_step + r] · b[t·b_step + v], for whole blocks of rows; terms in order of t.
    void (*multiply)(
        int64_t terms, int64_t rows, int64_t columns, const float *a, int64_t a_step, const float *b, int64_t b_step,
        float *c, int64_t c_step);

    /// c[n·c_step + v] = Σ_k a[k·a_step + n] · member(z[k·z_step + v]), or += that unless `first`, for n < outputs.
    void (*multiply_member)(
        const ck_member *member, int64_t count, int64_t outputs, int64_t columns, const float *a, int64_t a_step,
        const float *z, int64_t z_step, bool first, float *c, int64_t c_step);

    /// dz[r·z_step + v] = Σ_m member_m′(z[r·z_step + v]) · Σ_n d[n·d_step + r] · w[m·w_member + n·w_step + v], for
    /// whole blocks of rows.
    void (*fold)(
        const ck_activation *activation, int64_t outputs, int64_t rows, int64_t columns, const float *d, int64_t d_step,
        const float *w, int64_t w_member, int64_t w_step, const float *z, float *dz, int64_t z_step);

    /// c[t·c_step + v] = Σ_k a[t·a_step + k] · b[k·b_step + v], or += that unless `first`, for t < rows.
    void (*multiply_rows)(
        int64_t count, int64_t rows, int64_t columns, const float *a, int64_t a_step, const float *b, int64_t b_step,
        bool first, float *c, int64_t c_step);

    /// c[n·c_step + r] = a[r][n] for gap-free rows of `columns` floats; r runs over whole vectors, past `rows` through
    /// zeros.
    void (*gather_columns)(int64_t rows, int64_t columns, const float *a, float *c, int64_t c_step);

    /// The reverse, for r < rows.
    void (*scatter_columns)(int64_t rows, int64_t columns, const float *c, int64_t c_step, float *a);
} into_dense_tiles;

#endif
