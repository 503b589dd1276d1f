#ifndef CK_INPUT_TILES_H
#define CK_INPUT_TILES_H

#include <stdint.h>

typedef struct input_tiles {
    /// out = pixels·scale + offset.
    void (*convert)(int64_t count, const uint8_t *pixels, const float *scale, const float *offset, float *out);
    /// out = left + fraction·(right − left).
    void (*interpolate_bytes)(int64_t count, const uint8_t *left, const uint8_t *right, float fraction, float *out);
    /// out = (upper + fraction·(lower − upper))·scale + offset.
    void (*interpolate_rows)(
        int64_t count, const float *upper, const float *lower, float fraction, const float *scale, const float *offset,
        float *out);
} input_tiles;

#endif
