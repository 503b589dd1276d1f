#ifndef CK_POOLING_TILES_H
#define CK_POOLING_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "include/ck_pooling.h"

/// One row of one image each: the forward tiles compute row out_y of y, the backward tiles row y of dx.
typedef struct pooling_tiles {
    /// image [height][width][channels]; y and argmax (or NULL) [out_width][members·channels].
    void (*max_forward)(
        const ck_pooling *pooling, const ck_activation *activation, const float *image, int64_t out_y, float *y,
        uint8_t *argmax);
    /// argmax and dy [out_height][out_width][members·channels]; z (unread if the activation is the identity) and dz
    /// [width][channels].
    void (*max_backward)(
        const ck_pooling *pooling, const ck_activation *activation, const uint8_t *argmax, const float *z,
        const float *dy, int64_t y, float *dz, bool accumulate);
    void (*average_forward)(const ck_pooling *pooling, const float *image, int64_t out_y, float *y);
    void (*average_backward)(const ck_pooling *pooling, const float *dy, int64_t y, float *dx, bool accumulate);
    /// mean[c] over the rows of x, `stride` floats apart.
    void (*row_mean)(int64_t rows, int64_t columns, int64_t stride, const float *x, float *mean);
    /// Every row of out, `stride` floats apart = (or +=) row / divisor.
    void (*spread_row)(
        int64_t rows, int64_t columns, int64_t stride, const float *row, float divisor, float *out, bool accumulate);
} pooling_tiles;

#endif
