#ifndef CK_SHARED_ACTIVATION_H
#define CK_SHARED_ACTIVATION_H

#include "dispatch/activation_tiles.h"

/// The activation that changes nothing.
extern const ck_activation ck_no_activation;

/// True if a reader of the activation multiplies z itself: the activation is one identity member with scales 1, or z
/// holds the values of the activation already.
bool ck_activation_reads_plain(const ck_activation *activation);

/// Positions × channels: of an image, or of a part of an image.
typedef struct activation_extent {
    int64_t positions, channels;
} activation_extent;

/// A block of neighbouring positions and channels, `part`, of an image of pre-activations. The members of the block are
/// packed without gaps.
activation_block ck_activation_block(const ck_activation *activation, activation_extent image, activation_extent part);

#endif
