#ifndef CK_ELEMENTWISE_TILES_H
#define CK_ELEMENTWISE_TILES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct elementwise_tiles {
    /// out = a + b; out may be a or b.
    void (*add)(int64_t count, const float *a, const float *b, float *out);
    /// x ·= factor.
    void (*scale)(int64_t count, float factor, float *x);
    /// out [rows] of `columns` floats, out_stride apart = (or +=) x [rows], x_stride apart.
    void (*copy_rows)(
        int64_t rows, int64_t columns, const float *x, int64_t x_stride, float *out, int64_t out_stride,
        bool accumulate);
    /// out[i] = (or +=) word(key, first + i) >= threshold ? x[i] / keep : 0.
    void (*dropout)(
        int64_t count, uint64_t key, uint64_t first, uint32_t threshold, float keep, const float *x, float *out,
        bool accumulate);
    double (*sum_of_squares)(int64_t count, const float *x);
    /// The first index with a NaN or an infinity, or −1.
    int64_t (*first_nonfinite)(int64_t count, const float *x);
} elementwise_tiles;

#endif
