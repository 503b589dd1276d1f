// No include guard: part of dispatch/isa_body.h, once per instruction set. Winograd's maps (contract: dispatch/winograd_tiles.h).
//
// Toom and Cook's algorithm for the short convolution y = A[(G g) ⊙ (B d)]: two polynomials are multiplied at chosen points. B's rows are the
// coefficients of the products of (x − point) over the other points, G evaluates the taps at the points, divided by the
// derivative there, and A evaluates powers of the points (Lavin and Gray 2016, arXiv 1509.09308; Blahut, Fast Algorithms for Signal
// Processing, chapter 5).

// A map along one axis: from[0, from_step, …] → to[0, to_step, …].
typedef void axis_map(const vector *from, int from_step, vector *to, int to_step);

// ---- Stride 1: 4 outputs, 3 taps, points 0, ±p, ±q, ∞ with p = 1/√2, q = √2. Points that are each other's reciprocals keep the
// powers in A small, and so the error: a few times that of a direct sum.

static const float point_p = 0.70710678f, point_q = 1.41421356f;
// p² = 1/2, q² = 2, p²·q² = 1, p² + q² = 5/2.

ALWAYS_INLINE void stride1_inputs(const vector *d, int s, vector *to, int t) {
    const vector d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s];
    const vector even_p = d4 - 2.0f * d2, odd_p = point_p * (d3 - 2.0f * d1);
    const vector even_q = d4 - 0.5f * d2, odd_q = point_q * (d3 - 0.5f * d1);
    to[0] = d[0] + (d4 - 2.5f * d2);
    to[t] = even_p + odd_p;
    to[2 * t] = even_p - odd_p;
    to[3 * t] = even_q + odd_q;
    to[4 * t] = even_q - odd_q;
    to[5 * t] = d1 + (d[5 * s] - 2.5f * d3);
}

ALWAYS_INLINE void stride1_output(const vector *m, int s, vector *to, int t) {
    const vector sum_p = m[s] + m[2 * s], difference_p = m[s] - m[2 * s];
    const vector sum_q = m[3 * s] + m[4 * s], difference_q = m[3 * s] - m[4 * s];
    to[0] = m[0] + (sum_p + sum_q);
    to[t] = point_p * difference_p + point_q * difference_q;
    to[2 * t] = 0.5f * sum_p + 2.0f * sum_q;
    to[3 * t] = 0.5f * point_p * difference_p + (2.0f * point_q * difference_q + m[5 * s]);
}

// A's transpose: the values of a polynomial with four coefficients.
ALWAYS_INLINE void stride1_block(const vector *x, int s, vector *to, int t) {
    const vector even_p = 0.5f * x[2 * s] + x[0], odd_p = point_p * (0.5f * x[3 * s] + x[s]);
    const vector even_q = 2.0f * x[2 * s] + x[0], odd_q = point_q * (2.0f * x[3 * s] + x[s]);
    to[0] = x[0];
    to[t] = even_p + odd_p;
    to[2 * t] = even_p - odd_p;
    to[3 * t] = even_q + odd_q;
    to[4 * t] = even_q - odd_q;
    to[5 * t] = x[3 * s];
}

// The derivatives of x(x² − p²)(x² − q²) at 0, p, q.
static const float at_p = 1.0f / -1.5f, at_q = 1.0f / 6.0f; // and 1 at 0

ALWAYS_INLINE void stride1_weights(const vector *g, int s, vector *to, int t) {
    const vector even_p = at_p * (0.5f * g[2 * s] + g[0]), odd_p = at_p * point_p * g[s];
    const vector even_q = at_q * (2.0f * g[2 * s] + g[0]), odd_q = at_q * point_q * g[s];
    to[0] = g[0];
    to[t] = even_p + odd_p;
    to[2 * t] = even_p - odd_p;
    to[3 * t] = even_q + odd_q;
    to[4 * t] = even_q - odd_q;
    to[5 * t] = g[2 * s];
}

ALWAYS_INLINE void stride1_taps(const vector *m, int s, vector *to, int t) {
    const vector sum_p = at_p * (m[s] + m[2 * s]), difference_p = m[s] - m[2 * s];
    const vector sum_q = at_q * (m[3 * s] + m[4 * s]), difference_q = m[3 * s] - m[4 * s];
    to[0] = m[0] + (sum_p + sum_q);
    to[t] = at_p * point_p * difference_p + at_q * point_q * difference_q;
    to[2 * t] = 0.5f * sum_p + (2.0f * sum_q + m[5 * s]);
}

// ---- Stride 2, in phases: y[o] = d[2o]·g0 + d[2o + 2]·g2 + d[2o + 1]·g1. The even pixels meet two taps: 4 outputs from 5 points 0, 1, −1, h, ∞ with
// h = 1/2. The odd ones meet one, so their frequencies are those whose output they are, with as many as there are outputs: 0, 1, −1, ∞.

static const float point_h = 0.5f;

ALWAYS_INLINE void even_inputs(const vector *d, int s, vector *to, int t) {
    const vector d1 = d[s], d2 = d[2 * s], d3 = d[3 * s];
    const vector difference = d3 - d1;
    to[0] = point_h * (d[0] - d2) + difference;
    to[t] = (1 - point_h) * d2 + (d3 - point_h * d1);
    to[2 * t] = (d3 + point_h * d1) - (1 + point_h) * d2;
    to[3 * t] = difference;
    to[4 * t] = (d[4 * s] - d2) - point_h * difference;
}

ALWAYS_INLINE void even_output(const vector *m, int s, vector *to, int t) {
    const vector sum = m[s] + m[2 * s], difference = m[s] - m[2 * s], at_h = m[3 * s];
    to[0] = m[0] + (sum + at_h);
    to[t] = point_h * at_h + difference;
    to[2 * t] = point_h * point_h * at_h + sum;
    to[3 * t] = point_h * point_h * point_h * at_h + (difference + m[4 * s]);
}

ALWAYS_INLINE void even_block(const vector *x, int s, vector *to, int t) {
    const vector even = x[0] + x[2 * s], odd = x[s] + x[3 * s];
    to[0] = x[0];
    to[t] = even + odd;
    to[2 * t] = even - odd;
    to[3 * t] = point_h * (point_h * (point_h * x[3 * s] + x[2 * s]) + x[s]) + x[0];
    to[4 * t] = x[3 * s];
}

ALWAYS_INLINE void copy_axis(int count, const vector *from, int s, vector *to, int t) {
    UNROLL for (int i = 0; i < count; i++) to[i * t] = from[i * s];
}

ALWAYS_INLINE void stride2_inputs(const vector *d, int s, vector *to, int t) {
    even_inputs(d, 2 * s, to, t);
    const vector d1 = d[s], d3 = d[3 * s], d5 = d[5 * s], d7 = d[7 * s];
    to[5 * t] = d1 - d5;
    to[6 * t] = 0.5f * (d3 + d5);
    to[7 * t] = 0.5f * (d5 - d3);
    to[8 * t] = d7 - d3;
}

ALWAYS_INLINE void stride2_gradients(const vector *d, int s, vector *to, int t) {
    even_inputs(d, s, to, t);
    copy_axis(4, d + s, s, to + 5 * t, t);
}

ALWAYS_INLINE void stride2_data(const vector *m, int s, vector *to, int t) {
    even_output(m, s, to, 2 * t);
    copy_axis(4, m + 5 * s, s, to + t, 2 * t);
}

ALWAYS_INLINE void stride2_block(const vector *x, int s, vector *to, int t) {
    even_block(x, 2 * s, to, t);
    copy_axis(4, x + s, 2 * s, to + 5 * t, t);
}

// The derivatives of x(x² − 1)(x − h) at 0, 1, −1, h.
static const float at_0 = 2.0f, at_1 = 1.0f, at_minus_1 = 1.0f / -3.0f, at_h = 1.0f / -0.375f;

ALWAYS_INLINE void stride2_weights(const vector *g, int s, vector *to, int t) {
    const vector g0 = g[0], g2 = g[2 * s];
    to[0] = at_0 * g0;
    to[t] = at_1 * (g0 + g2);
    to[2 * t] = at_minus_1 * (g0 - g2);
    to[3 * t] = at_h * (point_h * g2 + g0);
    to[4 * t] = g2;
    to[5 * t] = g[s];
}

ALWAYS_INLINE void stride2_taps(const vector *m, int s, vector *to, int t) {
    const vector of_1 = at_1 * m[s], of_minus_1 = at_minus_1 * m[2 * s], of_h = at_h * m[3 * s];
    to[0] = at_0 * m[0] + (of_1 + of_minus_1 + of_h);
    to[t] = m[5 * s];
    to[2 * t] = point_h * of_h + (of_1 - of_minus_1 + m[4 * s]);
}

// ---- Both axes

// values[from × from] → [to × to], in place.
ALWAYS_INLINE void map_both_axes(axis_map *map, int from, int to, vector *values) {
    vector columns[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    UNROLL for (int j = 0; j < from; j++) map(values + j, from, columns + j, from);
    UNROLL for (int i = 0; i < to; i++) map(columns + i * from, 1, values + i * to, 1);
}

ALWAYS_INLINE void pixels_to_frequencies(
    axis_map *map, int from, int to, const float *source, winograd_pixels pixels, int64_t lanes, float *target,
    int64_t frequency) {
    vector values[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    UNROLL for (int i = 0; i < from; i++)
        UNROLL for (int j = 0; j < from; j++)
            values[i * from + j] = load_lanes(source + i * pixels.row + j * pixels.column, lanes);
    map_both_axes(map, from, to, values);
    UNROLL for (int i = 0; i < to * to; i++) store_lanes(target + i * frequency, values[i], lanes);
}

ALWAYS_INLINE void frequencies_to_pixels(
    axis_map *map, int from, int to, const float *source, int64_t frequency, int64_t lanes, const float *initial,
    float *target, winograd_pixels pixels, int64_t rows, int64_t columns) {
    vector values[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    UNROLL for (int i = 0; i < from * from; i++) values[i] = load_lanes(source + i * frequency, lanes);
    map_both_axes(map, from, to, values);
    const vector start = initial != NULL ? load_lanes(initial, lanes) : vector_splat(0.0f);
    UNROLL for (int i = 0; i < to; i++)
        UNROLL for (int j = 0; j < to; j++)
            if (i < rows && j < columns)
                store_lanes(target + i * pixels.row + j * pixels.column, values[i * to + j] + start, lanes);
}

#define TO_FREQUENCIES(name, map, from, to)                                                                            \
    static void winograd_##name(                                                                                       \
        const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency) {             \
        int64_t c = 0;                                                                                                 \
        for (; c + VECTOR_FLOATS <= channels; c += VECTOR_FLOATS)                                                      \
            pixels_to_frequencies(map, from, to, source + c, pixels, VECTOR_FLOATS, target + c, frequency);            \
        if (c < channels) pixels_to_frequencies(map, from, to, source + c, pixels, channels - c, target + c, frequency); \
    }

#define TO_PIXELS(name, map, from, to, initial, rows, columns, ...)                                                    \
    static void winograd_##name(const float *source, int64_t frequency, int64_t channels, __VA_ARGS__) {               \
        int64_t c = 0;                                                                                                 \
        for (; c + VECTOR_FLOATS <= channels; c += VECTOR_FLOATS)                                                      \
            frequencies_to_pixels(                                                                                     \
                map, from, to, source + c, frequency, VECTOR_FLOATS, initial, target + c, pixels, rows, columns);      \
        if (c < channels)                                                                                              \
            frequencies_to_pixels(                                                                                     \
                map, from, to, source + c, frequency, channels - c, initial, target + c, pixels, rows, columns);       \
    }

#define OUTPUT(name, map, from)                                                                                        \
    TO_PIXELS(                                                                                                         \
        name, map, from, WINOGRAD_OUTPUT_TILE, initial == NULL ? NULL : initial + c, rows, columns,                    \
        const float *initial, float *target, winograd_pixels pixels, int64_t rows, int64_t columns)

#define DATA(name, map, from, to)                                                                                      \
    TO_PIXELS(name, map, from, to, NULL, to, to, float *target, winograd_pixels pixels)

TO_FREQUENCIES(stride1_inputs, stride1_inputs, 6, 6)
TO_FREQUENCIES(stride1_block, stride1_block, 4, 6)
OUTPUT(stride1_output, stride1_output, 6)
DATA(stride1_data, stride1_output, 6, 4)
TO_FREQUENCIES(stride2_inputs, stride2_inputs, 9, 9)
TO_FREQUENCIES(stride2_gradients, stride2_gradients, 5, 9)
TO_FREQUENCIES(stride2_block, stride2_block, 8, 9)
OUTPUT(stride2_output, even_output, 5)
DATA(stride2_data, stride2_data, 9, 8)

#define WEIGHTS(name, map)                                                                                             \
    static void winograd_##name(                                                                                       \
        const float *source, int64_t tap, int64_t channels, float *target, int64_t frequency) {                        \
        const winograd_pixels taps = {3 * tap, tap};                                                                   \
        int64_t c = 0;                                                                                                 \
        for (; c + VECTOR_FLOATS <= channels; c += VECTOR_FLOATS)                                                      \
            pixels_to_frequencies(map, 3, 6, source + c, taps, VECTOR_FLOATS, target + c, frequency);                  \
        if (c < channels) pixels_to_frequencies(map, 3, 6, source + c, taps, channels - c, target + c, frequency);     \
    }

WEIGHTS(stride1_weights, stride1_weights)
WEIGHTS(stride2_weights, stride2_weights)

ALWAYS_INLINE void sum_to_taps(
    axis_map *map, const float *source, int64_t frequency, int64_t part, int64_t parts, int64_t lanes, float *target,
    int64_t tap) {
    vector values[WINOGRAD_WEIGHT_FREQUENCIES];
    UNROLL for (int i = 0; i < WINOGRAD_WEIGHT_FREQUENCIES; i++) values[i] = load_lanes(source + i * frequency, lanes);
    for (int64_t p = 1; p < parts; p++) {
        source += part;
        UNROLL for (int i = 0; i < WINOGRAD_WEIGHT_FREQUENCIES; i++)
            values[i] = values[i] + load_lanes(source + i * frequency, lanes);
    }
    map_both_axes(map, 6, 3, values);
    UNROLL for (int i = 0; i < 9; i++) store_lanes(target + i * tap, values[i], lanes);
}

#define TAPS(name, map)                                                                                                \
    static void winograd_##name(                                                                                       \
        const float *source, int64_t frequency, int64_t part, int64_t parts, int64_t channels, float *target,          \
        int64_t tap) {                                                                                                 \
        int64_t c = 0;                                                                                                 \
        for (; c + VECTOR_FLOATS <= channels; c += VECTOR_FLOATS)                                                      \
            sum_to_taps(map, source + c, frequency, part, parts, VECTOR_FLOATS, target + c, tap);                      \
        if (c < channels) sum_to_taps(map, source + c, frequency, part, parts, channels - c, target + c, tap);         \
    }

TAPS(stride1_taps, stride1_taps)
TAPS(stride2_taps, stride2_taps)

#define WINOGRAD_STRIDE1                                                                                               \
    {                                                                                                                  \
        .patch = 6, .frequencies = 6, .outputs = 6, .gradient_patch = 6, .tile = 4,                                    \
        .weights_of = {0, 1, 2, 3, 4, 5}, .output_of = {0, 1, 2, 3, 4, 5},                                             \
        .inputs = winograd_stride1_inputs, .gradients = winograd_stride1_inputs, .block = winograd_stride1_block,      \
        .output = winograd_stride1_output, .data = winograd_stride1_data, .weights = winograd_stride1_weights,         \
        .taps = winograd_stride1_taps,                                                                                 \
    }

#define WINOGRAD_STRIDE2                                                                                               \
    {                                                                                                                  \
        .patch = 9, .frequencies = 9, .outputs = 5, .gradient_patch = 5, .tile = 8,                                    \
        .weights_of = {0, 1, 2, 3, 4, 5, 5, 5, 5}, .output_of = {0, 1, 2, 3, 4, 0, 1, 2, 4},                           \
        .inputs = winograd_stride2_inputs, .gradients = winograd_stride2_gradients, .block = winograd_stride2_block,   \
        .output = winograd_stride2_output, .data = winograd_stride2_data, .weights = winograd_stride2_weights,         \
        .taps = winograd_stride2_taps,                                                                                 \
    }
