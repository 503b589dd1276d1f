// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Convolutions of few channels with images
// as the vectors' lanes: every load is whole and aligned whatever the size of the image, and a weight is broadcast to
// all images (contract: dispatch/chain_tiles.h).

// As many accumulators as the registers hold beside the operands of a step: outputs × columns of a convolution, terms ×
// outputs of its weights' gradients.
#if CK_VECTOR_BYTES == 64 || (CK_VECTOR_BYTES == 16 && defined(__aarch64__))
enum { CHAIN_OUTPUTS = 4, CHAIN_COLUMNS = 4, CHAIN_TERMS = 6 };
#else
enum { CHAIN_OUTPUTS = 2, CHAIN_COLUMNS = 6, CHAIN_TERMS = 2 };
#endif
enum { CHAIN_GRADIENT_OUTPUTS = 4 };

// Members are formed as they are loaded where comparisons run beside multiply-adds on units of their own, and enough
// multiply-adds share a value. Elsewhere, the comparisons would take the place of multiply-adds.
enum { CHAIN_RECTIFIES = CK_VECTOR_BYTES == 64 };

// The term that an element gives for member m. ReLU by one instruction leaves −0 as it is, which is as good as 0 to a
// sum. The sign goes into the multiply-add.
ALWAYS_INLINE vector chain_term(chain_reading reading, int m, vector element) {
    if (reading == CHAIN_PLAIN) return element;
    return m == 0 ? vector_larger(vector_splat(0), element) : -vector_smaller(vector_splat(0), element);
}

ALWAYS_INLINE int chain_members(chain_reading reading) { return reading == CHAIN_MIRRORED ? 2 : 1; }

// Calls `body` with the windows' reading as a constant, for those that occur.
#define FOR_READING(body, windows, ...)                                                                           \
    if (CHAIN_RECTIFIES && (windows)->reading == CHAIN_RECTIFIED) body(CHAIN_RECTIFIED, windows, __VA_ARGS__);    \
    else if (CHAIN_RECTIFIES && (windows)->reading == CHAIN_MIRRORED) body(CHAIN_MIRRORED, windows, __VA_ARGS__); \
    else body(CHAIN_PLAIN, windows, __VA_ARGS__);

typedef vector chain_sums[CHAIN_COLUMNS][CHAIN_OUTPUTS];

// Adds the products of some outputs and columns. `reading`, `outputs` and `columns` are constants wherever this is
// inlined.
ALWAYS_INLINE void chain_add_products(
    chain_reading reading, int outputs, int columns, const chain_windows *windows, const float *in,
    const float *weights, chain_sums total) {
    const int64_t step = windows->in_step, stride = windows->outputs;
    // The terms of one member follow each other over the channels of a pixel. If there is only one member, they follow
    // each other over the whole run.
    const int64_t pixels = reading == CHAIN_MIRRORED ? windows->taps : 1;
    const int64_t length = reading == CHAIN_MIRRORED ? windows->channels : windows->taps * windows->channels;
    for (int64_t q = 0; q < windows->runs; q++)
        for (int64_t pixel = 0; pixel < pixels; pixel++) UNROLL for (int m = 0; m < chain_members(reading); m++) {
                const float *element = in + q * windows->in_run + pixel * length * VECTOR_FLOATS;
                INNER_LOOP for (int64_t j = 0; j < length; j++) {
                    vector weight[CHAIN_OUTPUTS];
                    UNROLL for (int n = 0; n < outputs; n++) weight[n] = vector_splat(weights[n]);
                    UNROLL for (int x = 0; x < columns; x++) {
                        const vector term = chain_term(reading, m, vector_load(element + x * step));
                        UNROLL for (int n = 0; n < outputs; n++) total[x][n] = weight[n] * term + total[x][n];
                    }
                    element += VECTOR_FLOATS;
                    weights += stride;
                }
            }
}

ALWAYS_INLINE void chain_convolve_block(
    chain_reading reading, int outputs, int columns, const chain_windows *windows, const float *in,
    const float *weights, const float *initial, float *out) {
    chain_sums total;
    UNROLL for (int n = 0; n < outputs; n++) UNROLL for (int x = 0; x < columns; x++) total[x][n] =
        vector_splat(initial == NULL ? 0.0f : initial[n]);
    chain_add_products(reading, outputs, columns, windows, in, weights, total);
    const int64_t stride = windows->outputs;
    UNROLL for (int x = 0; x < columns; x++) UNROLL for (int n = 0; n < outputs; n++)
        vector_store(out + (x * stride + n) * VECTOR_FLOATS, total[x][n]);
}

ALWAYS_INLINE void chain_convolve_columns(
    chain_reading reading, int outputs, const chain_windows *windows, const float *in, const float *weights,
    const float *initial, float *out) {
    const int64_t step = windows->in_step, out_step = windows->outputs * VECTOR_FLOATS;
    int64_t x = 0;
    for (; x + CHAIN_COLUMNS <= windows->columns; x += CHAIN_COLUMNS)
        chain_convolve_block(
            reading, outputs, CHAIN_COLUMNS, windows, in + x * step, weights, initial, out + x * out_step);
#define REST(count)                                                                                     \
    case count:                                                                                         \
        if (count < CHAIN_COLUMNS)                                                                      \
            chain_convolve_block(                                                                       \
                reading, outputs, count, windows, in + x * step, weights, initial, out + x * out_step); \
        break;
    switch (windows->columns - x) { REST(1) REST(2) REST(3) REST(4) REST(5) }
#undef REST
}

ALWAYS_INLINE void chain_convolve_outputs(
    chain_reading reading, const chain_windows *windows, const float *in, const float *weights, const float *initial,
    float *out) {
    int64_t n = 0;
    for (; n + CHAIN_OUTPUTS <= windows->outputs; n += CHAIN_OUTPUTS)
        chain_convolve_columns(
            reading, CHAIN_OUTPUTS, windows, in, weights + n, initial == NULL ? NULL : initial + n,
            out + n * VECTOR_FLOATS);
#define REST(count)                                                                             \
    case count:                                                                                 \
        if (count < CHAIN_OUTPUTS)                                                              \
            chain_convolve_columns(                                                             \
                reading, count, windows, in, weights + n, initial == NULL ? NULL : initial + n, \
                out + n * VECTOR_FLOATS);                                                       \
        break;
    switch (windows->outputs - n) { REST(1) REST(2) REST(3) }
#undef REST
}

static void chain_convolve(
    const chain_windows *windows, const float *in, const float *weights, const float *initial,
    float *out){FOR_READING(chain_convolve_outputs, windows, in, weights, initial, out)}

// The gradients of some channels. The members of a channel are as many neighbouring outputs.
ALWAYS_INLINE void chain_fold_block(
    chain_reading folded, int channels, int columns, const chain_windows *windows, const float *in,
    const float *weights, const float *z, float *dz) {
    static const ck_member members[] = {{CK_RELU, 1, 1, 0}, {CK_RELU, -1, 1, 0}};
    const int count = chain_members(folded);
    chain_sums total;
    UNROLL for (int n = 0; n < count * channels; n++) UNROLL for (int x = 0; x < columns; x++) total[x][n] =
        vector_splat(0);
    chain_add_products(CHAIN_PLAIN, count * channels, columns, windows, in, weights, total);
    UNROLL for (int x = 0; x < columns; x++) UNROLL for (int c = 0; c < channels; c++) {
        const int64_t at = (x * (windows->outputs / count) + c) * VECTOR_FLOATS;
        const vector value = vector_load(z + at);
        vector gradient = vector_splat(0);
        UNROLL for (int m = 0; m < count; m++) gradient =
            add_member_gradient(CK_RELU, &members[m], value, total[x][m * channels + c], gradient);
        vector_store(dz + at, gradient);
    }
}

ALWAYS_INLINE void chain_fold_columns(
    chain_reading folded, int channels, const chain_windows *windows, const float *in, const float *weights,
    const float *z, float *dz) {
    const int64_t step = windows->in_step, z_step = windows->outputs / chain_members(folded) * VECTOR_FLOATS;
    int64_t x = 0;
    for (; x + CHAIN_COLUMNS <= windows->columns; x += CHAIN_COLUMNS)
        chain_fold_block(
            folded, channels, CHAIN_COLUMNS, windows, in + x * step, weights, z + x * z_step, dz + x * z_step);
    for (; x < windows->columns; x++)
        chain_fold_block(folded, channels, 1, windows, in + x * step, weights, z + x * z_step, dz + x * z_step);
}

ALWAYS_INLINE void chain_fold_channels(
    chain_reading folded, const chain_windows *windows, const float *in, const float *weights, const float *z,
    float *dz) {
    const int at_once = CHAIN_OUTPUTS / chain_members(folded);
    const int64_t channels = windows->outputs / chain_members(folded);
    int64_t c = 0;
    for (; c + at_once <= channels; c += at_once)
        chain_fold_columns(
            folded, at_once, windows, in, weights + c * chain_members(folded), z + c * VECTOR_FLOATS,
            dz + c * VECTOR_FLOATS);
    for (; c < channels; c++)
        chain_fold_columns(
            folded, 1, windows, in, weights + c * chain_members(folded), z + c * VECTOR_FLOATS, dz + c * VECTOR_FLOATS);
}

static void chain_convolve_and_fold(
    chain_reading folded, const chain_windows *windows, const float *in, const float *weights, const float *z,
    float *dz) {
    if (folded == CHAIN_MIRRORED) chain_fold_channels(CHAIN_MIRRORED, windows, in, weights, z, dz);
    else chain_fold_channels(CHAIN_RECTIFIED, windows, in, weights, z, dz);
}

// The terms of the `elements` neighbours whose first is number `first` of a run. `reading`, `elements` and `outputs`
// are constants wherever this is inlined.
ALWAYS_INLINE void chain_gradients_block(
    chain_reading reading, int elements, int outputs, const chain_windows *windows, int64_t first, int64_t rows,
    const float *in, int64_t in_row, const float *d, int64_t d_row, float *gradients) {
    vector total[CHAIN_TERMS][CHAIN_GRADIENT_OUTPUTS];
    float *target[CHAIN_TERMS];
    const int members = chain_members(reading), terms = elements * members;
    const int64_t columns = windows->columns, step = windows->in_step, stride = windows->outputs * VECTOR_FLOATS;
    UNROLL for (int e = 0; e < elements; e++) UNROLL for (int m = 0; m < members; m++) {
        const int64_t element = first + e, channel = members == 1 ? 0 : element % windows->channels;
        target[e * members + m] =
            gradients + (members * (element - channel) + m * windows->channels + channel) * stride;
    }
    UNROLL for (int j = 0; j < terms; j++) UNROLL for (int n = 0; n < outputs; n++) total[j][n] =
        vector_load(target[j] + n * VECTOR_FLOATS);
    for (int64_t y = 0; y < rows; y++) {
        const float *element = in + first * VECTOR_FLOATS + y * in_row, *gradient = d + y * d_row;
        INNER_LOOP for (int64_t x = 0; x < columns; x++) {
            vector value[CHAIN_GRADIENT_OUTPUTS];
            UNROLL for (int n = 0; n < outputs; n++) value[n] = vector_load(gradient + n * VECTOR_FLOATS);
            UNROLL for (int j = 0; j < terms; j++) {
                const vector term =
                    chain_term(reading, j % members, vector_load(element + j / members * VECTOR_FLOATS));
                UNROLL for (int n = 0; n < outputs; n++) total[j][n] = term * value[n] + total[j][n];
            }
            element += step;
            gradient += stride;
        }
    }
    UNROLL for (int j = 0; j < terms; j++) UNROLL for (int n = 0; n < outputs; n++)
        vector_store(target[j] + n * VECTOR_FLOATS, total[j][n]);
}

ALWAYS_INLINE void chain_gradients_elements(
    chain_reading reading, int outputs, const chain_windows *windows, int64_t first, int64_t count, int64_t rows,
    const float *in, int64_t in_row, const float *d, int64_t d_row, float *gradients) {
    const int64_t end = first + count;
    const int at_once = CHAIN_TERMS / chain_members(reading);
    for (; first + at_once <= end; first += at_once)
        chain_gradients_block(reading, at_once, outputs, windows, first, rows, in, in_row, d, d_row, gradients);
    for (; first < end; first++)
        chain_gradients_block(reading, 1, outputs, windows, first, rows, in, in_row, d, d_row, gradients);
}

ALWAYS_INLINE void chain_gradients_outputs(
    chain_reading reading, const chain_windows *windows, int64_t first, int64_t count, int64_t rows, const float *in,
    int64_t in_row, const float *d, int64_t d_row, float *gradients) {
    int64_t n = 0;
    for (; n + CHAIN_GRADIENT_OUTPUTS <= windows->outputs; n += CHAIN_GRADIENT_OUTPUTS)
        chain_gradients_elements(
            reading, CHAIN_GRADIENT_OUTPUTS, windows, first, count, rows, in, in_row, d + n * VECTOR_FLOATS, d_row,
            gradients + n * VECTOR_FLOATS);
    d += n * VECTOR_FLOATS;
    gradients += n * VECTOR_FLOATS;
#define REST(outputs)                                                                                             \
    case outputs:                                                                                                 \
        chain_gradients_elements(reading, outputs, windows, first, count, rows, in, in_row, d, d_row, gradients); \
        break;
    switch (windows->outputs - n) { REST(1) REST(2) REST(3) }
#undef REST
}

static void chain_weight_gradients(
    const chain_windows *windows, int64_t first, int64_t count, int64_t rows, const float *in, int64_t in_row,
    const float *d, int64_t d_row, float *gradients) {
    FOR_READING(chain_gradients_outputs, windows, first, count, rows, in, in_row, d, d_row, gradients)
}
#undef FOR_READING

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
        UNROLL for (int r = 0; r < VECTOR_FLOATS; r++) square[r] =
            r < lanes ? vector_load(values + (i + r) * VECTOR_FLOATS) : vector_splat(0);
        transpose_square(square);
        vector total = square[0];
        UNROLL for (int r = 1; r < VECTOR_FLOATS; r++) if (r < images) total += square[r];
        vector_store_part(sums + i, total, lanes);
    }
}

static void chain_spread(int64_t count, const float *values, float *out) {
    for (int64_t i = 0; i < count; i++) vector_store(out + i * VECTOR_FLOATS, vector_splat(values[i]));
}
