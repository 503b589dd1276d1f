// No include guard: part of dispatch/isa_body.h, once per instruction set. Convolutions of few channels with images as the
// vectors' lanes: every load is whole and aligned whatever the image's size, a weight is broadcast to all of them (contract:
// dispatch/chain_tiles.h).

// As many accumulators as the registers hold beside the operands of a step: outputs × columns of a convolution, terms × outputs of its
// weights' gradients.
#if CK_VECTOR_BYTES == 64 || (CK_VECTOR_BYTES == 16 && defined(__aarch64__))
enum { CHAIN_OUTPUTS = 4, CHAIN_COLUMNS = 4, CHAIN_TERMS = 6 };
#else
enum { CHAIN_OUTPUTS = 2, CHAIN_COLUMNS = 6, CHAIN_TERMS = 2 };
#endif
enum { CHAIN_GRADIENT_OUTPUTS = 4 };

// `outputs` and `columns` are constants wherever this is inlined.
ALWAYS_INLINE void chain_convolve_block(
    int outputs, int columns, const chain_windows *windows, const float *in, const float *weights, const float *initial,
    float *out) {
    vector total[CHAIN_COLUMNS][CHAIN_OUTPUTS];
    UNROLL for (int n = 0; n < outputs; n++)
        UNROLL for (int x = 0; x < columns; x++) total[x][n] = vector_splat(initial == NULL ? 0.0f : initial[n]);
    const int64_t length = windows->length, step = windows->in_step, stride = windows->outputs;
    for (int64_t q = 0; q < windows->runs; q++) {
        const float *element = in + q * windows->in_run;
#pragma clang loop unroll(disable)
        for (int64_t j = 0; j < length; j++) {
            vector weight[CHAIN_OUTPUTS];
            UNROLL for (int n = 0; n < outputs; n++) weight[n] = vector_splat(weights[n]);
            UNROLL for (int x = 0; x < columns; x++) {
                const vector value = vector_load(element + x * step);
                UNROLL for (int n = 0; n < outputs; n++) total[x][n] = weight[n] * value + total[x][n];
            }
            element += VECTOR_FLOATS;
            weights += stride;
        }
    }
    UNROLL for (int x = 0; x < columns; x++)
        UNROLL for (int n = 0; n < outputs; n++) vector_store(out + (x * stride + n) * VECTOR_FLOATS, total[x][n]);
}

ALWAYS_INLINE void chain_convolve_columns(
    int outputs, const chain_windows *windows, const float *in, const float *weights, const float *initial, float *out) {
    const int64_t step = windows->in_step, out_step = windows->outputs * VECTOR_FLOATS;
    int64_t x = 0;
    for (; x + CHAIN_COLUMNS <= windows->columns; x += CHAIN_COLUMNS)
        chain_convolve_block(outputs, CHAIN_COLUMNS, windows, in + x * step, weights, initial, out + x * out_step);
#define REST(count)                                                                                                    \
    case count:                                                                                                        \
        if (count < CHAIN_COLUMNS)                                                                                     \
            chain_convolve_block(outputs, count, windows, in + x * step, weights, initial, out + x * out_step);        \
        break;
    switch (windows->columns - x) { REST(1) REST(2) REST(3) REST(4) REST(5) }
#undef REST
}

static void chain_convolve(
    const chain_windows *windows, const float *in, const float *weights, const float *initial, float *out) {
    int64_t n = 0;
    for (; n + CHAIN_OUTPUTS <= windows->outputs; n += CHAIN_OUTPUTS)
        chain_convolve_columns(
            CHAIN_OUTPUTS, windows, in, weights + n, initial == NULL ? NULL : initial + n, out + n * VECTOR_FLOATS);
#define REST(count)                                                                                                    \
    case count:                                                                                                        \
        if (count < CHAIN_OUTPUTS)                                                                                     \
            chain_convolve_columns(                                                                                    \
                count, windows, in, weights + n, initial == NULL ? NULL : initial + n, out + n * VECTOR_FLOATS);       \
        break;
    switch (windows->outputs - n) { REST(1) REST(2) REST(3) }
#undef REST
}

// `terms` and `outputs` are constants wherever this is inlined.
ALWAYS_INLINE void chain_gradients_block(
    int terms, int outputs, const chain_windows *windows, int64_t rows, const float *in, int64_t in_row, const float *d,
    int64_t d_row, float *gradients) {
    vector total[CHAIN_TERMS][CHAIN_GRADIENT_OUTPUTS];
    const int64_t columns = windows->columns, step = windows->in_step, stride = windows->outputs * VECTOR_FLOATS;
    UNROLL for (int j = 0; j < terms; j++)
        UNROLL for (int n = 0; n < outputs; n++) total[j][n] = vector_load(gradients + j * stride + n * VECTOR_FLOATS);
    for (int64_t y = 0; y < rows; y++) {
        const float *element = in + y * in_row, *gradient = d + y * d_row;
#pragma clang loop unroll(disable)
        for (int64_t x = 0; x < columns; x++) {
            vector value[CHAIN_GRADIENT_OUTPUTS];
            UNROLL for (int n = 0; n < outputs; n++) value[n] = vector_load(gradient + n * VECTOR_FLOATS);
            UNROLL for (int j = 0; j < terms; j++) {
                const vector term = vector_load(element + j * VECTOR_FLOATS);
                UNROLL for (int n = 0; n < outputs; n++) total[j][n] = term * value[n] + total[j][n];
            }
            element += step;
            gradient += stride;
        }
    }
    UNROLL for (int j = 0; j < terms; j++)
        UNROLL for (int n = 0; n < outputs; n++) vector_store(gradients + j * stride + n * VECTOR_FLOATS, total[j][n]);
}

ALWAYS_INLINE void chain_gradients_terms(
    int outputs, const chain_windows *windows, int64_t rows, const float *in, int64_t in_row, const float *d, int64_t d_row,
    float *gradients) {
    const int64_t stride = windows->outputs * VECTOR_FLOATS;
    int64_t j = 0;
    for (; j + CHAIN_TERMS <= windows->length; j += CHAIN_TERMS)
        chain_gradients_block(
            CHAIN_TERMS, outputs, windows, rows, in + j * VECTOR_FLOATS, in_row, d, d_row, gradients + j * stride);
    for (; j < windows->length; j++)
        chain_gradients_block(
            1, outputs, windows, rows, in + j * VECTOR_FLOATS, in_row, d, d_row, gradients + j * stride);
}

static void chain_weight_gradients(
    const chain_windows *windows, int64_t rows, const float *in, int64_t in_row, const float *d, int64_t d_row,
    float *gradients) {
    int64_t n = 0;
    for (; n + CHAIN_GRADIENT_OUTPUTS <= windows->outputs; n += CHAIN_GRADIENT_OUTPUTS)
        chain_gradients_terms(
            CHAIN_GRADIENT_OUTPUTS, windows, rows, in, in_row, d + n * VECTOR_FLOATS, d_row, gradients + n * VECTOR_FLOATS);
    d += n * VECTOR_FLOATS;
    gradients += n * VECTOR_FLOATS;
    switch (windows->outputs - n) {
    case 1: chain_gradients_terms(1, windows, rows, in, in_row, d, d_row, gradients); break;
    case 2: chain_gradients_terms(2, windows, rows, in, in_row, d, d_row, gradients); break;
    case 3: chain_gradients_terms(3, windows, rows, in, in_row, d, d_row, gradients); break;
    default: break;
    }
}

static void chain_add_columns(int64_t columns, int64_t outputs, const float *d, float *sums) {
    for (int64_t n = 0; n < outputs; n++) {
        vector total = vector_load(sums + n * VECTOR_FLOATS);
        for (int64_t x = 0; x < columns; x++) total += vector_load(d + (x * outputs + n) * VECTOR_FLOATS);
        vector_store(sums + n * VECTOR_FLOATS, total);
    }
}

static void chain_sum_images(int64_t count, int64_t images, const float *values, float *sums) {
    for (int64_t i = 0; i < count; i += VECTOR_FLOATS) {
        const int64_t lanes = smaller_of(VECTOR_FLOATS, count - i);
        vector square[VECTOR_FLOATS];
        UNROLL for (int r = 0; r < VECTOR_FLOATS; r++)
            square[r] = r < lanes ? vector_load(values + (i + r) * VECTOR_FLOATS) : vector_splat(0);
        transpose_square(square);
        vector total = square[0];
        UNROLL for (int r = 1; r < VECTOR_FLOATS; r++)
            if (r < images) total += square[r];
        vector_store_part(sums + i, total, lanes);
    }
}

static void chain_spread(int64_t count, const float *values, float *out) {
    for (int64_t i = 0; i < count; i++) vector_store(out + i * VECTOR_FLOATS, vector_splat(values[i]));
}
