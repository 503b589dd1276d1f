// How the passes of the dense layer split its inputs.

#include "drivers/dense/dense.h"
#include "runtime/operations.h"

enum {
    MOST_INPUTS = 4096,
    MOST_WEIGHTS = 64 << 10, // of a block: 256 KiB
    // So many blocks balance eight threads. There are fewer if blocks would be shorter than LEAST_INPUTS.
    BLOCKS_WANTED = 16,
    LEAST_INPUTS = 128,
};

// Blocks of about so many inputs.
static dense_blocks blocks_of(const ck_dense *dense, int64_t inputs) {
    const int64_t depth = dense_depth(dense), members = dense->activation.member_count;
    dense_blocks blocks = {.positions = 1, .channels = dense->channels, .channel_blocks = 1};
    if (depth > inputs) {
        blocks.channel_blocks = divide_up(dense->channels, max_of(inputs / members, 1));
        blocks.channels = min_of(round_up(divide_up(dense->channels, blocks.channel_blocks), 16), dense->channels);
        blocks.channel_blocks = divide_up(dense->channels, blocks.channels);
    } else {
        blocks.positions = min_of(inputs / depth, dense->positions);
    }
    blocks.count = divide_up(dense->positions, blocks.positions) * blocks.channel_blocks;
    blocks.length = blocks.positions * members * blocks.channels;
    return blocks;
}

dense_blocks ck_dense_blocks(const ck_dense *dense, int64_t least) {
    const int64_t balanced = max_of(divide_up(dense->positions * dense_depth(dense), BLOCKS_WANTED), LEAST_INPUTS);
    return blocks_of(dense, min_of(max_of(min_of(MOST_WEIGHTS / dense->out_features, MOST_INPUTS), least), balanced));
}

dense_blocks ck_dense_finer_blocks(const ck_dense *dense, const dense_blocks *blocks, int64_t pieces, int64_t least) {
    return pieces == 1 ? *blocks : blocks_of(dense, min_of(max_of(blocks->length / pieces, least), blocks->length));
}

dense_block ck_dense_block(const ck_dense *dense, const dense_blocks *blocks, int64_t index) {
    const int64_t members = dense->activation.member_count;
    dense_block block;
    block.first_position = index / blocks->channel_blocks * blocks->positions;
    block.first_channel = index % blocks->channel_blocks * blocks->channels;
    block.positions = min_of(blocks->positions, dense->positions - block.first_position);
    block.channels = min_of(blocks->channels, dense->channels - block.first_channel);
    block.length = block.positions * members * block.channels;
    // With all channels the inputs are neighbours; otherwise each member's are.
    block.segments = block.channels == dense->channels ? 1 : members;
    block.segment_length = block.length / block.segments;
    block.segment_distance = dense->channels;
    block.first_row = block.first_position * dense_depth(dense) + block.first_channel;
    return block;
}

activation_block ck_dense_activation_block(const ck_dense *dense, const dense_block *block) {
    return ck_activation_block(
        &dense->activation, (activation_extent){dense->positions, dense->channels},
        (activation_extent){block->positions, block->channels});
}

dense_inputs ck_dense_inputs(
    const ck_kernels *kernels, const ck_dense *dense, const dense_block *block, const float *z, const float *slopes,
    int64_t first, int64_t rows, float *packed) {
    const int64_t image = dense->positions * dense->channels;
    const float *start = z + first * image + block->first_position * dense->channels + block->first_channel;
    if (ck_activation_reads_plain(&dense->activation)) return (dense_inputs){start, image};
    const activation_block extent = ck_dense_activation_block(dense, block);
    const int64_t stride = spread_stride(block->length);
    ck_count_floats(2 * rows * block->length);
    if (slopes != NULL) slopes += block->first_position * extent.slope_position + block->first_channel;
    for (int64_t row = 0; row < rows; row++)
        kernels->activation.forward(&dense->activation, &extent, start + row * image, slopes, packed + row * stride);
    return (dense_inputs){packed, stride};
}
