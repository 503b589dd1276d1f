#include "drivers/shared/slopes.h"

#include <string.h>

#include "drivers/shared/parts.h"

slope_parts ck_slope_parts(
    const ck_activation *activation, int64_t positions, int64_t channels, int64_t groups, int64_t bands) {
    slope_parts parts = {.positions = positions, .channels = channels};
    parts.members = ck_activation_slope_count(activation, 1, 1);
    if (parts.members == 0) return parts;
    parts.per_position = activation->slope_sharing == CK_SLOPES_PER_POSITION;
    parts.bands = parts.per_position ? 1 : bands;
    parts.count = groups * parts.bands;
    parts.stride = ck_activation_slope_count(activation, positions, channels);
    return parts;
}

float *ck_slope_part(const slope_parts *parts, float *gradients, int64_t group, int64_t band) {
    return gradients + (parts->per_position ? group : group * parts->bands + band) * parts->stride;
}

float *ck_slope_part_start(const slope_parts *parts, float *gradients, int64_t group, int64_t band, slope_range range) {
    int64_t positions = parts->positions;
    if (!parts->per_position) {
        range.first_position = 0;
        range.positions = positions = 1;
    }
    float *start = ck_slope_part(parts, gradients, group, band);
    for (int64_t member = 0; member < parts->members; member++)
        for (int64_t position = 0; position < range.positions; position++)
            memset(
                start + (member * positions + range.first_position + position) * parts->channels + range.first_channel,
                0, (size_t)range.channels * sizeof(float));
    return start;
}

void ck_sum_slope_parts(const slope_parts *parts, const float *gradients, float *dslopes) {
    ck_sum_parts(gradients, parts->count, parts->stride, parts->stride, dslopes);
}
