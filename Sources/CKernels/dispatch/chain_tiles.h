#ifndef CK_CHAIN_TILES_H
#define CK_CHAIN_TILES_H

#include <stdbool.h>
#include <stdint.h>

// Tiles over images side by side. An element is a vector whose lanes are as many images, so [n] below means
// [n][vector_floats]. Weights, and the sums of their gradients, are plain floats. Distances are in floats.

/// How the terms of the sums follow from the elements of windows.
typedef enum chain_reading {
    CHAIN_PLAIN,     ///< the terms
    CHAIN_RECTIFIED, ///< their ReLU gives the terms
    CHAIN_MIRRORED,  ///< two members: the ReLU of a pixel's channels, then the ReLU of the same channels' negatives
} chain_reading;

/// The windows of one row of outputs: window x starts at in + x·in_step and consists of `runs` runs, in_run apart, of
/// `taps` × `channels` elements without gaps. Its terms are [runs][taps][members][channels].
typedef struct chain_windows {
    int64_t columns, outputs;
    int64_t runs, taps, channels;
    int64_t in_run, in_step;
    chain_reading reading;
} chain_windows;

typedef struct chain_tiles {
    bool rectifies; ///< windows may be read other than CHAIN_PLAIN

    /// out[x][n] = initial[n] + Σ_j weights[j][n] · term j of window x, in this order of terms; zeros if `initial` is
    /// NULL.
    void (*convolve)(
        const chain_windows *windows, const float *in, const float *weights, const float *initial, float *out);

    /// The gradients of members, folded into the gradients of z: dz[x][c] = Σ_m member_m′(z[x][c])·gradient. `convolve`
    /// with zeros as `initial` gives the same gradients at n = the place of member and channel. `folded` isn't
    /// CHAIN_PLAIN. With CHAIN_MIRRORED, the places of channels 2i and 2i + 1 are 4i, 4i + 1 (first member), 4i + 2 and
    /// 4i + 3 (second member). If the number of channels is odd, the two places of the last channel are neighbours.
    void (*convolve_and_fold)(
        chain_reading folded, const chain_windows *windows, const float *in, const float *weights, const float *z,
        float *dz);

    int gradient_terms; ///< whose sums weight_gradients forms at once

    /// gradients[j][n] += Σ_y Σ_x term j of the first run of window x · d[x][n], over `rows` rows, in_row and d_row
    /// apart, for the terms of elements first ..< first + count of the run. `windows->runs` is not read.
    void (*weight_gradients)(
        const chain_windows *windows, int64_t first, int64_t count, int64_t rows, const float *in, int64_t in_row,
        const float *d, int64_t d_row, float *gradients);

    /// sums[n] += Σ_x d[x][n].
    void (*add_columns)(int64_t columns, int64_t outputs, const float *d, float *sums);

    /// sums[i] = the sum of the first `images` lanes of values[i].
    void (*sum_images)(int64_t count, int64_t images, const float *values, float *sums);

    /// out[i] = values[i] in every lane.
    void (*spread)(int64_t count, const float *values, float *out);
} chain_tiles;

#endif
