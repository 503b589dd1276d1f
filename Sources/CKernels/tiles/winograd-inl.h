// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Winograd's maps (contract:
// dispatch/winograd_tiles.h).
//
// Toom and Cook's algorithm for the short convolution y = A[(G g) ⊙ (B d)]: two polynomials are multiplied at chosen
// points. B's rows are the coefficients of the products of (x − point) over the other points, G evaluates the taps at
// the points, divided by the derivative there, and A evaluates powers of the points (Lavin and Gray 2016, arXiv
// 1509.09308; Blahut, Fast Algorithms for Signal Processing, chapter 5).

// A map along one axis: from[0, from_step, …] → to[0, to_step, …].
typedef void axis_map(const vector *from, int from_step, vector *to, int to_step);

// ---- Stride 1, tiles of 4: points 0, ±p, ±q, ∞ with p = 1/√2, q = √2. Points that are each other's reciprocals keep
// the powers in A small, and so the error: a few times that of a direct sum.

static const float point_p = 0.70710678f, point_q = 1.41421356f;
// p² = 1/2, q² = 2, p²·q² = 1, p² + q² = 5/2.

ALWAYS_INLINE void tile4_inputs(const vector *d, int s, vector *to, int t) {
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

ALWAYS_INLINE void tile4_output(const vector *m, int s, vector *to, int t) {
    const vector sum_p = m[s] + m[2 * s], difference_p = m[s] - m[2 * s];
    const vector sum_q = m[3 * s] + m[4 * s], difference_q = m[3 * s] - m[4 * s];
    to[0] = m[0] + (sum_p + sum_q);
    to[t] = point_p * difference_p + point_q * difference_q;
    to[2 * t] = 0.5f * sum_p + 2.0f * sum_q;
    to[3 * t] = 0.5f * point_p * difference_p + (2.0f * point_q * difference_q + m[5 * s]);
}

// A's transpose: the values of a polynomial with four coefficients.
ALWAYS_INLINE void tile4_block(const vector *x, int s, vector *to, int t) {
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

ALWAYS_INLINE void tile4_weights(const vector *g, int s, vector *to, int t) {
    const vector even_p = at_p * (0.5f * g[2 * s] + g[0]), odd_p = at_p * point_p * g[s];
    const vector even_q = at_q * (2.0f * g[2 * s] + g[0]), odd_q = at_q * point_q * g[s];
    to[0] = g[0];
    to[t] = even_p + odd_p;
    to[2 * t] = even_p - odd_p;
    to[3 * t] = even_q + odd_q;
    to[4 * t] = even_q - odd_q;
    to[5 * t] = g[2 * s];
}

ALWAYS_INLINE void tile4_taps(const vector *m, int s, vector *to, int t) {
    const vector sum_p = at_p * (m[s] + m[2 * s]), difference_p = m[s] - m[2 * s];
    const vector sum_q = at_q * (m[3 * s] + m[4 * s]), difference_q = m[3 * s] - m[4 * s];
    to[0] = m[0] + (sum_p + sum_q);
    to[t] = at_p * point_p * difference_p + at_q * point_q * difference_q;
    to[2 * t] = 0.5f * sum_p + (2.0f * sum_q + m[5 * s]);
}

// ---- Stride 1, tiles of 5: points ±p, ±q, ±r, ∞ with p = 3/8, q = 15/16, r = 7/4. Without 0 they are pairs, which
// halves the maps' work. Among pairs of short binary fractions these have about the smallest errors, in the mean twice
// those of tiles of 4. Rows of −p have their signs changed in B and G.

static const float five_p = 0.375f, five_q = 0.9375f, five_r = 1.75f;
static const float five_pp = 0.140625f, five_qq = 0.87890625f, five_rr = 3.0625f; // squares

// The values at ±point of the product over the other two pairs.
ALWAYS_INLINE void tile5_pair(
    const vector *d, int s, float point, float square_sum, float square_product, vector *plus, vector *minus) {
    const vector even = d[4 * s] + (square_product * d[0] - square_sum * d[2 * s]);
    const vector odd = d[5 * s] + (square_product * d[s] - square_sum * d[3 * s]);
    *plus = point * even + odd;
    *minus = point * even - odd;
}

ALWAYS_INLINE void tile5_inputs(const vector *d, int s, vector *to, int t) {
    tile5_pair(d, s, five_p, five_qq + five_rr, five_qq * five_rr, to, to + t);
    tile5_pair(d, s, five_q, five_pp + five_rr, five_pp * five_rr, to + 2 * t, to + 3 * t);
    tile5_pair(d, s, five_r, five_pp + five_qq, five_pp * five_qq, to + 4 * t, to + 5 * t);
    const float sum = five_pp + five_qq + five_rr, product = five_pp * five_qq * five_rr;
    const float pairs = five_pp * five_qq + (five_pp + five_qq) * five_rr;
    to[6 * t] = (d[6 * s] - sum * d[4 * s]) + (pairs * d[2 * s] - product * d[0]);
}

ALWAYS_INLINE void tile5_output(const vector *m, int s, vector *to, int t) {
    const vector sum_p = m[0] + m[s], difference_p = five_p * (m[0] - m[s]);
    const vector sum_q = m[2 * s] + m[3 * s], difference_q = five_q * (m[2 * s] - m[3 * s]);
    const vector sum_r = m[4 * s] + m[5 * s], difference_r = five_r * (m[4 * s] - m[5 * s]);
    to[0] = sum_p + (sum_q + sum_r);
    to[t] = difference_p + (difference_q + difference_r);
    to[2 * t] = five_pp * sum_p + (five_qq * sum_q + five_rr * sum_r);
    to[3 * t] = five_pp * difference_p + (five_qq * difference_q + five_rr * difference_r);
    to[4 * t] = five_pp * five_pp * sum_p + (five_qq * five_qq * sum_q + (five_rr * five_rr * sum_r + m[6 * s]));
}

// A's transpose: the values of a polynomial with five coefficients.
ALWAYS_INLINE void tile5_block(const vector *x, int s, vector *to, int t) {
    const float points[] = {five_p, five_q, five_r}, squares[] = {five_pp, five_qq, five_rr};
    UNROLL for (int i = 0; i < 3; i++) {
        const vector even = squares[i] * (squares[i] * x[4 * s] + x[2 * s]) + x[0];
        const vector odd = points[i] * (squares[i] * x[3 * s] + x[s]);
        to[2 * i * t] = even + odd;
        to[(2 * i + 1) * t] = even - odd;
    }
    to[6 * t] = x[4 * s];
}

// The derivatives of (x² − p²)(x² − q²)(x² − r²) at p, q, r.
static const float at_five_p = 1 / (2 * five_p * (five_pp - five_qq) * (five_pp - five_rr));
static const float at_five_q = 1 / (2 * five_q * (five_qq - five_pp) * (five_qq - five_rr));
static const float at_five_r = 1 / (2 * five_r * (five_rr - five_pp) * (five_rr - five_qq));

ALWAYS_INLINE void tile5_weights(const vector *g, int s, vector *to, int t) {
    const float points[] = {five_p, five_q, five_r}, squares[] = {five_pp, five_qq, five_rr};
    const float factors[] = {at_five_p, at_five_q, at_five_r};
    UNROLL for (int i = 0; i < 3; i++) {
        const vector even = factors[i] * (squares[i] * g[2 * s] + g[0]), odd = factors[i] * points[i] * g[s];
        to[2 * i * t] = even + odd;
        to[(2 * i + 1) * t] = even - odd;
    }
    to[6 * t] = g[2 * s];
}

ALWAYS_INLINE void tile5_taps(const vector *m, int s, vector *to, int t) {
    const vector sum_p = at_five_p * (m[0] + m[s]), difference_p = at_five_p * (m[0] - m[s]);
    const vector sum_q = at_five_q * (m[2 * s] + m[3 * s]), difference_q = at_five_q * (m[2 * s] - m[3 * s]);
    const vector sum_r = at_five_r * (m[4 * s] + m[5 * s]), difference_r = at_five_r * (m[4 * s] - m[5 * s]);
    to[0] = sum_p + (sum_q + sum_r);
    to[t] = five_p * difference_p + (five_q * difference_q + five_r * difference_r);
    to[2 * t] = five_pp * sum_p + (five_qq * sum_q + (five_rr * sum_r + m[6 * s]));
}

// ---- Stride 2, in phases: y[o] = d[2o]·g0 + d[2o + 2]·g2 + d[2o + 1]·g1. The even pixels meet two taps: 4 outputs
// from 5 points 0, 1, −1, h, ∞ with h = 1/2. The odd pixels meet one tap, so their frequencies are those of the
// outputs, and there are as many as outputs: 0, 1, −1, ∞.

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

// ---- Both axes: column by column, then row by row, so that few vectors are live at a time. `map`, `from` and `to` are
// constants wherever the functions below are inlined. `lanes` channels from number `c` on are mapped.

ALWAYS_INLINE void pixels_to_frequencies(
    int64_t c, int64_t lanes, axis_map *map, int from, int to, const float *source, winograd_pixels pixels,
    float *target, int64_t frequency) {
    vector columns[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    UNROLL for (int j = 0; j < from; j++) {
        vector column[WINOGRAD_MAX_FREQUENCIES];
        UNROLL for (int i = 0; i < from; i++) column[i] =
            load_lanes(source + c + i * pixels.row + j * pixels.column, lanes);
        map(column, 1, columns + j, from);
    }
    UNROLL for (int i = 0; i < to; i++) {
        vector row[WINOGRAD_MAX_FREQUENCIES];
        map(columns + i * from, 1, row, 1);
        UNROLL for (int j = 0; j < to; j++) store_lanes(target + c + (i * to + j) * frequency, row[j], lanes);
    }
}

// Writes only the pixels of the first `rows` × `columns`, each with `initial` added.
ALWAYS_INLINE void frequencies_to_pixels(
    int64_t c, int64_t lanes, axis_map *map, int from, int to, const float *source, int64_t frequency,
    const float *initial, float *target, winograd_pixels pixels, int64_t rows, int64_t columns) {
    const vector start = initial != NULL ? load_lanes(initial + c, lanes) : vector_splat(0.0f);
    vector mapped[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    UNROLL for (int j = 0; j < from; j++) {
        vector column[WINOGRAD_MAX_FREQUENCIES];
        UNROLL for (int i = 0; i < from; i++) column[i] = load_lanes(source + c + (i * from + j) * frequency, lanes);
        map(column, 1, mapped + j, from);
    }
    UNROLL for (int i = 0; i < to; i++) {
        vector row[WINOGRAD_MAX_FREQUENCIES];
        map(mapped + i * from, 1, row, 1);
        UNROLL for (int j = 0; j < to; j++) if (i < rows && j < columns)
            store_lanes(target + c + i * pixels.row + j * pixels.column, row[j] + start, lanes);
    }
}

ALWAYS_INLINE void sum_to_taps(
    int64_t c, int64_t lanes, axis_map *map, int from, const float *source, int64_t frequency, int64_t part,
    int64_t parts, float *target, int64_t tap) {
    vector values[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    vector columns[WINOGRAD_MAX_FREQUENCIES * WINOGRAD_MAX_FREQUENCIES];
    source += c;
    UNROLL for (int i = 0; i < from * from; i++) values[i] = load_lanes(source + i * frequency, lanes);
    for (int64_t p = 1; p < parts; p++) {
        source += part;
        UNROLL for (int i = 0; i < from * from; i++) values[i] = values[i] + load_lanes(source + i * frequency, lanes);
    }
    UNROLL for (int j = 0; j < from; j++) map(values + j, from, columns + j, from);
    UNROLL for (int i = 0; i < 3; i++) {
        vector row[WINOGRAD_MAX_FREQUENCIES];
        map(columns + i * from, 1, row, 1);
        UNROLL for (int j = 0; j < 3; j++) store_lanes(target + c + (i * 3 + j) * tap, row[j], lanes);
    }
}

// The functions of the table: one for each map.

#define TO_FREQUENCIES(name, map, from, to)                                                                \
    static void winograd_##name(                                                                           \
        const float *source, winograd_pixels pixels, int64_t channels, float *target, int64_t frequency) { \
        FOR_LANES(channels, pixels_to_frequencies, map, from, to, source, pixels, target, frequency);      \
    }

#define OUTPUT(name, map, from, to)                                                                           \
    static void winograd_##name(                                                                              \
        const float *source, int64_t frequency, int64_t channels, const float *initial, float *target,        \
        winograd_pixels pixels, int64_t rows, int64_t columns) {                                              \
        FOR_LANES(                                                                                            \
            channels, frequencies_to_pixels, map, from, to, source, frequency, initial, target, pixels, rows, \
            columns);                                                                                         \
    }

#define DATA(name, map, from, to)                                                                                   \
    static void winograd_##name(                                                                                    \
        const float *source, int64_t frequency, int64_t channels, float *target, winograd_pixels pixels) {          \
        FOR_LANES(channels, frequencies_to_pixels, map, from, to, source, frequency, NULL, target, pixels, to, to); \
    }

#define WEIGHTS(name, map, to)                                                                   \
    static void winograd_##name(                                                                 \
        const float *source, int64_t tap, int64_t channels, float *target, int64_t frequency) {  \
        const winograd_pixels taps = {3 * tap, tap};                                             \
        FOR_LANES(channels, pixels_to_frequencies, map, 3, to, source, taps, target, frequency); \
    }

#define TAPS(name, map, from)                                                                                 \
    static void winograd_##name(                                                                              \
        const float *source, int64_t frequency, int64_t part, int64_t parts, int64_t channels, float *target, \
        int64_t tap) {                                                                                        \
        FOR_LANES(channels, sum_to_taps, map, from, source, frequency, part, parts, target, tap);             \
    }

TO_FREQUENCIES(tile4_inputs, tile4_inputs, 6, 6)
TO_FREQUENCIES(tile4_block, tile4_block, 4, 6)
OUTPUT(tile4_output, tile4_output, 6, 4)
DATA(tile4_data, tile4_output, 6, 4)
TO_FREQUENCIES(tile5_inputs, tile5_inputs, 7, 7)
TO_FREQUENCIES(tile5_block, tile5_block, 5, 7)
OUTPUT(tile5_output, tile5_output, 7, 5)
DATA(tile5_data, tile5_output, 7, 5)
TO_FREQUENCIES(stride2_inputs, stride2_inputs, 9, 9)
TO_FREQUENCIES(stride2_gradients, stride2_gradients, 5, 9)
TO_FREQUENCIES(stride2_block, stride2_block, 8, 9)
OUTPUT(stride2_output, even_output, 5, 4)
DATA(stride2_data, stride2_data, 9, 8)

WEIGHTS(tile4_weights, tile4_weights, 6)
WEIGHTS(tile5_weights, tile5_weights, 7)
WEIGHTS(stride2_weights, stride2_weights, 6)

TAPS(tile4_taps, tile4_taps, 6)
TAPS(tile5_taps, tile5_taps, 7)
TAPS(stride2_taps, stride2_taps, 6)

#define TILE4_MAPS                                                                                                     \
    {                                                                                                                  \
        .output_tile = 4, .patch = 6, .frequencies = 6, .outputs = 6, .weight_frequencies = 6, .gradient_patch = 6,    \
        .tile = 4, .weights_of = {0, 1, 2, 3, 4, 5}, .output_of = {0, 1, 2, 3, 4, 5}, .inputs = winograd_tile4_inputs, \
        .gradients = winograd_tile4_inputs, .block = winograd_tile4_block, .output = winograd_tile4_output,            \
        .data = winograd_tile4_data, .weights = winograd_tile4_weights, .taps = winograd_tile4_taps,                   \
    }

#define TILE5_MAPS                                                                                                  \
    {                                                                                                               \
        .output_tile = 5, .patch = 7, .frequencies = 7, .outputs = 7, .weight_frequencies = 7, .gradient_patch = 7, \
        .tile = 5, .weights_of = {0, 1, 2, 3, 4, 5, 6}, .output_of = {0, 1, 2, 3, 4, 5, 6},                         \
        .inputs = winograd_tile5_inputs, .gradients = winograd_tile5_inputs, .block = winograd_tile5_block,         \
        .output = winograd_tile5_output, .data = winograd_tile5_data, .weights = winograd_tile5_weights,            \
        .taps = winograd_tile5_taps,                                                                                \
    }

#define STRIDE2_MAPS                                                                                                 \
    {                                                                                                                \
        .output_tile = 4, .patch = 9, .frequencies = 9, .outputs = 5, .weight_frequencies = 6, .gradient_patch = 5,  \
        .tile = 8, .weights_of = {0, 1, 2, 3, 4, 5, 5, 5, 5}, .output_of = {0, 1, 2, 3, 4, 0, 1, 2, 4},              \
        .inputs = winograd_stride2_inputs, .gradients = winograd_stride2_gradients, .block = winograd_stride2_block, \
        .output = winograd_stride2_output, .data = winograd_stride2_data, .weights = winograd_stride2_weights,       \
        .taps = winograd_stride2_taps,                                                                               \
    }
