#ifndef CK_DENSE_DRIVER_H
#define CK_DENSE_DRIVER_H

#include "drivers/shared/blocks.h"
#include "drivers/shared/gemm.h"
#include "drivers/shared/plane.h"
#include "include/ck_dense.h"

// The parts that the three passes of the dense layer share. The passes split the inputs positions·K into blocks,
// because this dimension may be huge.

/// A division of the inputs into blocks: ranges of positions with all their channels, or, where one position alone has
/// enough of them, ranges of channels (with all their members) of one position.
typedef struct dense_blocks {
    int64_t positions, channels; ///< of a block; the last ones may be smaller
    int64_t channel_blocks, count;
    int64_t length; ///< inputs of a block, at most
} dense_blocks;

/// The division into blocks. Long blocks are good, because an image's part of z is read in one stretch and memory is
/// slow at short stretches. Three limits hold: the weights of a block fit the L2 cache (but a block has at least
/// `least` inputs), a block has a largest length, and there are blocks for eight threads.
dense_blocks ck_dense_blocks(const ck_dense *dense, int64_t least);

/// The division into as many blocks for each of `blocks`, of about `least` inputs or more each. For passes in which the
/// blocks are no parts of sums.
dense_blocks ck_dense_finer_blocks(const ck_dense *dense, const dense_blocks *blocks, int64_t pieces, int64_t least);

/// One block. Its inputs are numbered as they are packed, [position][member][channel]. In the weights, they are
/// `segments` ranges of `segment_length` neighbouring rows; the ranges are `segment_distance` rows apart.
typedef struct dense_block {
    int64_t first_position, positions, first_channel, channels;
    int64_t length, segments, segment_length, segment_distance;
    int64_t first_row; ///< of the weights
} dense_block;

dense_block ck_dense_block(const ck_dense *dense, const dense_blocks *blocks, int64_t index);

/// The block's part of z's images, as the activation's tiles see it.
activation_block ck_dense_activation_block(const ck_dense *dense, const dense_block *block);

/// Inputs of one block for some rows of the batch: rows `stride` floats apart, segment s at s·segment_length.
typedef struct dense_inputs {
    const float *start;
    int64_t stride;
} dense_inputs;

/// The inputs of the rows first ..< first + rows: packed, or in z itself if the activation changes nothing.
dense_inputs ck_dense_inputs(
    const ck_kernels *kernels, const ck_dense *dense, const dense_block *block, const float *z, const float *slopes,
    int64_t first, int64_t rows, float *packed);

/// Rows of the batch handled at a time, and floats from one packed row to the next.
static inline int64_t dense_slab_rows(const ck_dense *dense) { return min_of(dense->batch, GEMM_SLAB_ROWS); }
static inline int64_t dense_packed_stride(const dense_blocks *blocks) { return spread_stride(blocks->length); }

static inline int64_t dense_depth(const ck_dense *dense) { return dense->activation.member_count * dense->channels; }

/// Multiplications and additions of one pass.
static inline double dense_work(const ck_dense *dense) {
    return 2.0 * (double)dense->batch * (double)dense->positions * (double)dense_depth(dense)
        * (double)dense->out_features;
}

size_t ck_dense_forward_scratch(const ck_dense *dense);
size_t ck_dense_backward_data_scratch(const ck_dense *dense);
size_t ck_dense_backward_weights_scratch(const ck_dense *dense);

void ck_dense_forward_loops(const ck_dense *dense, ck_plan *loops);
void ck_dense_backward_data_loops(const ck_dense *dense, ck_plan *loops);
void ck_dense_backward_weights_loops(const ck_dense *dense, ck_plan *loops);

/// One of dz and dslopes may be NULL.
void ck_dense_backward_data(
    const ck_dense *dense, const float *z, const float *slopes, const float *weights, const float *dy, float *dz,
    bool accumulate, float *dslopes, void *scratch);

/// dbias may be NULL.
void ck_dense_backward_weights(
    const ck_dense *dense, const float *z, const float *slopes, const float *dy, float *dweights, float *dbias,
    void *scratch);

#endif
