// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.

// The lower and upper halves of two vectors interleaved: a0 b0 a1 b1 …
#if CK_VECTOR_BYTES == 64
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(a, b) \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif CK_VECTOR_BYTES == 32
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// Interleaving row i with row i + n/2 rotates the bits of an element's (row, column) by one; after log2 n times they
// have changed places.
ALWAYS_INLINE void transpose_square(vector rows[VECTOR_FLOATS]) {
    UNROLL for (int round = 1; round < VECTOR_FLOATS; round *= 2) {
        vector next[VECTOR_FLOATS];
        UNROLL for (int i = 0; i < VECTOR_FLOATS / 2; i++) {
            next[2 * i] = INTERLEAVE_LOW(rows[i], rows[i + VECTOR_FLOATS / 2]);
            next[2 * i + 1] = INTERLEAVE_HIGH(rows[i], rows[i + VECTOR_FLOATS / 2]);
        }
        UNROLL for (int i = 0; i < VECTOR_FLOATS; i++) rows[i] = next[i];
    }
}

static void transpose(
    const float *source, int64_t source_stride, int64_t rows, int64_t columns, float *target, int64_t target_stride) {
    for (int64_t i = 0; i < rows; i += VECTOR_FLOATS)
        for (int64_t j = 0; j < columns; j += VECTOR_FLOATS) {
            const int64_t row_count = rows - i < VECTOR_FLOATS ? rows - i : VECTOR_FLOATS;
            const int64_t column_count = columns - j < VECTOR_FLOATS ? columns - j : VECTOR_FLOATS;
            const float *from = source + i * source_stride + j;
            float *to = target + j * target_stride + i;
            vector square[VECTOR_FLOATS];
            if (row_count == VECTOR_FLOATS && column_count == VECTOR_FLOATS) {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) square[r] = vector_load(from + r * source_stride);
                transpose_square(square);
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) vector_store(to + r * target_stride, square[r]);
            } else {
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) square[r] =
                    r < row_count ? vector_load_part(from + r * source_stride, column_count) : vector_splat(0);
                transpose_square(square);
                UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) if (r < column_count)
                    vector_store_part(to + r * target_stride, square[r], row_count);
            }
        }
}
