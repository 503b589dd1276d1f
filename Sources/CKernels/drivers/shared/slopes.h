#ifndef CK_SLOPES_H
#define CK_SLOPES_H

#include "include/ck_activation.h"

// Gradients of learned slopes are sums over images and, if the slopes are shared by channel, over positions. Each task
// (a group of images, a band of positions) adds to a part of its own. The parts are then added in order.

/// A part has the layout of the slopes: one for each group, and one for each of its bands if slopes are shared by the
/// bands.
typedef struct slope_parts {
    int64_t count, stride; ///< parts, and the slopes in one; both 0 without slopes
    int64_t bands;         ///< parts of a group
    int64_t members, positions, channels;
    bool per_position;
} slope_parts;

slope_parts ck_slope_parts(
    const ck_activation *activation, int64_t positions, int64_t channels, int64_t groups, int64_t bands);

/// The positions and channels whose slopes' gradients a task adds to.
typedef struct slope_range {
    int64_t first_position, positions, first_channel, channels;
} slope_range;

/// The part that task (group, band) adds to, set to zero in its range. Slopes shared by positions have one position.
float *ck_slope_part_start(const slope_parts *parts, float *gradients, int64_t group, int64_t band, slope_range range);

/// The same part, as it is.
float *ck_slope_part(const slope_parts *parts, float *gradients, int64_t group, int64_t band);

/// dslopes = the sum of all parts.
void ck_sum_slope_parts(const slope_parts *parts, const float *gradients, float *dslopes);

#endif
