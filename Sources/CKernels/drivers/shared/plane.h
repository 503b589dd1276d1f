#ifndef CK_PLANE_H
#define CK_PLANE_H

#include "dispatch/kernels.h"
#include "drivers/shared/activation.h"
#include "drivers/shared/scratch.h"

// Packed planes. A plane holds the windows of a convolution, with their padding and the members of the activation in
// place: plane[row][column][members·channels]. So a kernel row of a window is one gap-free run.

/// Images of pre-activations, and which of their channels a plane takes.
typedef struct plane_source {
    const ck_kernels *kernels;
    const ck_activation *activation;
    const float *slopes;
    int64_t height, width, channels;
    int64_t first_channel, plane_channels;
} plane_source;

/// Packs the pixels (y, x) … (y, x + count − 1) of an image; those outside it are zeros.
void ck_pack_pixels(const plane_source *source, const float *image, int64_t y, int64_t x, int64_t count, float *target);

/// Prefetches the memory that ck_pack_pixels would read, so that the memory arrives while something else is computed.
/// The CPU doesn't foresee short stretches.
void ck_fetch_pixels(const plane_source *source, const float *image, int64_t y, int64_t x, int64_t count);

/// How windows lie along one axis. Where the stride exceeds the kernel, a plane leaves out the pixels that no window
/// reads.
typedef struct window_axis {
    int64_t outputs, kernel, stride, pad;
} window_axis;

/// How far apart neighbouring windows are in a plane.
static inline int64_t window_step(const window_axis *axis) { return min_of(axis->stride, axis->kernel); }

/// The plane's extent for `outputs` windows.
static inline int64_t window_extent(const window_axis *axis, int64_t outputs) {
    return (outputs - 1) * window_step(axis) + axis->kernel;
}

/// Packs the windows of the output rows first_row ..< first_row + rows.
void ck_pack_windows(
    const plane_source *source, const float *image, const window_axis *y, const window_axis *x, int64_t first_row,
    int64_t rows, float *plane);

#endif
