#ifndef CK_WINOGRAD_TILES_H
#define CK_WINOGRAD_TILES_H

#include <stdint.h>

// Winograd's algorithms for a 3×3 convolution: the maps from tiles of images and weights to frequencies, and from
// products back. Each map is the same one-dimensional map applied to columns and rows, so there are f² frequencies, in
// rows of f. Each map below works on many channels: the values of one pixel (or tap, or frequency) are `channels`
// neighbouring floats. Distances are in floats.

/// Pixels of an image tile.
typedef struct winograd_pixels {
    int64_t row, column; ///< from one row, and from one column, to the next
} winograd_pixels;

/// One algorithm. Forward, with y's tile of `output_tile`² pixels:
///   y = output(Σ_k inputs(patch of a) ⊙ weights(w))
/// Backward, for a tile of `tile`² pixels of a and the patch of dy that the tile meets. Both products read the same
/// `gradients` of the patch. w′ is w with the taps in reverse order:
///   da = data(Σ_n gradients(dy) ⊙ weights(w′)),   dw′ = taps(Σ_tiles block(a) ⊙ gradients(dy))
/// Frequency (i, j) of inputs, gradients, block and data is multiplied with frequency (weights_of[i], weights_of[j]) of
/// the weights and added to (output_of[i], output_of[j]) of the output.
typedef struct winograd_tiles {
    // Along one axis:
    int output_tile;                 ///< pixels of a tile of y, and from one patch of dy to the next
    int patch, frequencies, outputs; ///< input pixels, their frequencies and those of the output
    int weight_frequencies;          ///< of the 3 taps
    int gradient_patch;              ///< pixels of dy for a tile of a
    int tile;                        ///< pixels of a tile of a: output_tile·stride
    int8_t weights_of[9], output_of[9];

    /// Input pixels → frequencies, `frequency` apart.
    void (*inputs)(const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency);
    void (*gradients)(const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency);
    void (*block)(const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency);

    /// Frequencies → initial[channel] + pixels, of which the first `rows` × `columns` are written.
    void (*output)(
        const float *source, int64_t frequency, int64_t channels, const float *initial, float *target,
        winograd_pixels pixels, int64_t rows, int64_t columns);

    /// Frequencies → all `tile`² pixels.
    void (*data)(const float *source, int64_t frequency, int64_t channels, float *target, winograd_pixels pixels);

    /// 3×3 taps, `tap` apart → `weight_frequencies`² frequencies.
    void (*weights)(const float *source, int64_t tap, int64_t channels, float *target, int64_t frequency);

    /// 3×3 taps from their frequencies. A frequency is the sum of `parts` parts, added in order.
    void (*taps)(
        const float *source, int64_t frequency, int64_t part, int64_t parts, int64_t channels, float *target,
        int64_t tap);
} winograd_tiles;

/// Which algorithm.
typedef enum winograd_kind {
    WINOGRAD_TILE4,   ///< stride 1, tiles of y of 4×4 pixels
    WINOGRAD_TILE5,   ///< stride 1, 5×5
    WINOGRAD_STRIDE2, ///< in phases, 4×4
    WINOGRAD_KINDS,
} winograd_kind;

enum { WINOGRAD_MAX_FREQUENCIES = 9 }; ///< along one axis

#endif
