#ifndef CK_LOSS_TILES_H
#define CK_LOSS_TILES_H

#include <stdint.h>

typedef struct loss_tiles {
    /// The largest of x, NaN if any is NaN.
    float (*largest)(int64_t count, const float *x);
    /// Σ e^(x − shift) in double; out, if not NULL, receives the terms.
    double (*exponentials)(int64_t count, const float *x, float shift, float *out);
} loss_tiles;

#endif
