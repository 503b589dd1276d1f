// Facts about activations that the drivers of several operations need.

#include "drivers/shared/activation.h"

#include <float.h>
#include <math.h>

const ck_activation ck_no_activation = {.member_count = 1, .members = {{CK_IDENTITY, 1, 1, 0}}};

bool ck_activation_reads_plain(const ck_activation *activation) {
    const ck_member *member = &activation->members[0];
    if (activation->applied) return true;
    return activation->member_count == 1 && member->function == CK_IDENTITY && member->input_scale == 1
        && member->output_scale == 1;
}

static bool is_function(ck_function function) {
    switch (function) {
#define KNOWN(name) case name:
        CK_FUNCTIONS(KNOWN) return true;
#undef KNOWN
    }
    return false;
}

bool ck_activation_check(const ck_activation *activation) {
    if (activation->member_count < 1 || activation->member_count > CK_MAX_MEMBERS) return false;
    if (activation->slope_sharing != CK_SLOPES_PER_CHANNEL && activation->slope_sharing != CK_SLOPES_PER_POSITION)
        return false;
    const ck_member *only = &activation->members[0];
    if (activation->applied
        && !(
            activation->member_count == 1 && only->function == CK_RELU && only->input_scale == 1
            && only->output_scale == 1))
        return false;
    for (int m = 0; m < activation->member_count; m++) {
        const ck_member *member = &activation->members[m];
        if (!is_function(member->function)) return false;
        if (!isfinite(member->input_scale) || !isfinite(member->output_scale) || !isfinite(member->parameter))
            return false;
        // An infinite factor of the derivative would make NaN of a gradient of 0. The product is exact in double, so
        // that the caller's floating-point mode doesn't count.
        if (fabs((double)member->input_scale * member->output_scale) > FLT_MAX) return false;
    }
    return true;
}

int64_t ck_activation_slope_count(const ck_activation *activation, int64_t positions, int64_t channels) {
    int64_t members = 0;
    for (int m = 0; m < activation->member_count; m++)
        if (activation->members[m].function == CK_PRELU) members++;
    return members * channels * (activation->slope_sharing == CK_SLOPES_PER_POSITION ? positions : 1);
}

activation_block ck_activation_block(const ck_activation *activation, activation_extent image, activation_extent part) {
    const bool per_position = activation->slope_sharing == CK_SLOPES_PER_POSITION;
    return (activation_block){
        .positions = part.positions,
        .channels = part.channels,
        .z_position = image.channels,
        .out_position = activation->member_count * part.channels,
        .out_member = part.channels,
        .slope_position = per_position ? image.channels : 0,
        .slope_member = per_position ? image.positions * image.channels : image.channels,
    };
}
