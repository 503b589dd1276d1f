#ifndef CK_INPUT_H
#define CK_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How one image of a batch is read: mirrored left to right first, then moved.
typedef struct ck_augmentation {
    float shift_y; ///< in pixels; out[y] = in[y − shift_y], bilinear between pixels, the edge repeated outside
    float shift_x;
    bool flip;
} ck_augmentation;

/// out[b][y][x][c] = image_b[y][x][c]·scale[c] + offset[c] for `batch` images chosen from `images`.
///
/// images         [image_count][height][width][channels] uint8
/// indices        [batch], each in 0 ..< image_count
/// augmentations  [batch], or NULL for none
/// scale, offset  [channels]
/// out            [batch][height][width][channels]
///
/// Runs on the calling thread only: batches are prepared beside the training threads.
void ck_prepare_images(
    int64_t batch, int64_t height, int64_t width, int64_t channels, const uint8_t *images, const int64_t *indices,
    const ck_augmentation *augmentations, const float *scale, const float *offset, float *out);

#endif
