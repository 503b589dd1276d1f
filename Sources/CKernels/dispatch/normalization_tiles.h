#ifndef CK_NORMALIZATION_TILES_H
#define CK_NORMALIZATION_TILES_H

#include <stdbool.h>
#include <stdint.h>

/// Matrices are dense, [rows][columns]; every other array has one element per column.
typedef struct normalization_tiles {
    /// The mean of every column, and the sum of squared deviations from the mean. `mean` and `squares` already hold
    /// those of `rows_before` rows; the function adds `rows` rows, at least 1.
    void (*moments)(int64_t rows_before, int64_t rows, int64_t columns, const float *x, double *mean, double *squares);
    /// Adds up, per column, d = x − center, dy, and d·dy.
    void (*gradient_sums)(
        int64_t rows, int64_t columns, const float *x, const float *dy, const float *center, double *sum_d,
        double *sum_dy, double *sum_d_dy);
    /// y = (x − center)·scale + shift. y may be x.
    void (*scale_shift)(
        int64_t rows, int64_t columns, const float *x, const float *center, const float *scale, const float *shift,
        float *y);
    /// dx = (or +=) scale·dy − slope·(x − center) − shift.
    void (*gradient)(
        int64_t rows, int64_t columns, const float *x, const float *dy, const float *center, const float *scale,
        const float *slope, const float *shift, float *dx, bool accumulate);
} normalization_tiles;

#endif
