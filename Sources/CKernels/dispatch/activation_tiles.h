#ifndef CK_ACTIVATION_TILES_H
#define CK_ACTIVATION_TILES_H

#include "include/ck_activation.h"

/// Where a block of positions × channels and its activation's members lie. Distances are in floats.
typedef struct activation_block {
    int64_t positions, channels;
    int64_t z_position;                   ///< from one position to the next in z and dz
    int64_t out_position;                 ///< the same in out and dout
    int64_t out_member;                   ///< from one member to the next in out and dout
    int64_t slope_position, slope_member; ///< the same in slopes and dslopes
} activation_block;

typedef struct activation_tiles {
    /// out_m = member_m(z).
    void (*forward)(
        const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
        float *out);

    /// dz = Σ_m member_m′(z)·dout_m, added to dz if `accumulate`, skipped if dz is NULL. If dslopes is not NULL, the
    /// gradients of the slopes are added to dslopes. Where z is NaN, piecewise linear and exponential members pass dout
    /// through.
    void (*backward)(
        const ck_activation *activation, const activation_block *block, const float *z, const float *slopes,
        const float *dout, float *dz, bool accumulate, float *dslopes);
} activation_tiles;

#endif
