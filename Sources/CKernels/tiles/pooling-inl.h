// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.

/// Positions low ..< high of a window that lie in the image, for the window starting at `start` (negative: in the
/// padding).
typedef struct window_span {
    int64_t start, low, high;
} window_span;

ALWAYS_INLINE window_span span_of_window(int64_t out, int64_t stride, int64_t pad, int64_t window, int64_t size) {
    const int64_t start = out * stride - pad;
    return (window_span){start, larger_of(0, -start), smaller_of(window, size - start)};
}

/// Outputs low ..< high whose windows hold position `position` of the image.
typedef struct output_span {
    int64_t low, high;
} output_span;

ALWAYS_INLINE output_span
outputs_over(int64_t position, int64_t stride, int64_t pad, int64_t window, int64_t out_size) {
    const int64_t last = position + pad, first = last - window + 1;
    return (output_span){first <= 0 ? 0 : (first + stride - 1) / stride, smaller_of(out_size, last / stride + 1)};
}

/// Moves a span on to a later position. Divisions would cost more than a narrow pixel does.
ALWAYS_INLINE void move_to(
    output_span *span, int64_t position, int64_t stride, int64_t pad, int64_t window, int64_t out_size) {
    while (span->low < out_size && span->low * stride - pad + window <= position) span->low++;
    while (span->high < out_size && span->high * stride - pad <= position) span->high++;
}

// The maximum of one member over a window whose first position in the image is at `z`.
ALWAYS_INLINE void max_window(
    int shared, const ck_member *member, const ck_pooling *p, const float *z, window_span rows, window_span columns,
    int64_t lanes, float *y, uint8_t *argmax) {
    vector best = vector_splat(0);
    vector_int index = (vector_int)((int32_t)(rows.low * p->window_w + columns.low));
    for (int64_t row = rows.low; row < rows.high; row++)
        for (int64_t column = columns.low; column < columns.high; column++) {
            const int64_t place = ((row - rows.low) * p->width + column - columns.low) * p->channels;
            const vector value = member_value(shared, member, load_lanes(z + place, lanes));
            if (row == rows.low && column == columns.low) {
                best = value;
                continue;
            }
            // Taken if the value is larger, or is a NaN and the best one is none.
            const vector_int taken = ~(value <= best) & (best == best);
            best = vector_select(taken, value, best);
            if (argmax != NULL) {
                const vector_int here = (vector_int)((int32_t)(row * p->window_w + column));
                index = (here & taken) | (index & ~taken);
            }
        }
    store_lanes(y, best, lanes);
    if (argmax != NULL) store_bytes(argmax, __builtin_convertvector(index, vector_byte), lanes);
}

// The same for the channels from `c` on. Whole windows of 2×2 get a body of their own, without loops.
ALWAYS_INLINE void max_window_lanes(
    int64_t c, int64_t lanes, bool is_square, int shared, const ck_member *member, const ck_pooling *p, const float *z,
    window_span rows, window_span columns, float *y, uint8_t *argmax) {
    uint8_t *places = argmax == NULL ? NULL : argmax + c;
    if (is_square)
        max_window(shared, member, p, z + c, (window_span){0, 0, 2}, (window_span){0, 0, 2}, lanes, y + c, places);
    else max_window(shared, member, p, z + c, rows, columns, lanes, y + c, places);
}

ALWAYS_INLINE void max_forward_body(
    int shared, int members, const ck_activation *activation, const ck_pooling *p, const float *image, int64_t out_y,
    float *y, uint8_t *argmax) {
    const window_span rows = span_of_window(out_y, p->stride_h, p->pad_top, p->window_h, p->height);
    for (int64_t out_x = 0; out_x < p->out_width; out_x++) {
        const window_span columns = span_of_window(out_x, p->stride_w, p->pad_left, p->window_w, p->width);
        const float *first = image + ((rows.start + rows.low) * p->width + columns.start + columns.low) * p->channels;
        const bool is_square =
            p->window_w == 2 && rows.low == 0 && rows.high == 2 && columns.low == 0 && columns.high == 2;
        for (int m = 0; m < members; m++, y += p->channels) {
            const ck_member *member = &activation->members[m];
            FOR_LANES(p->channels, max_window_lanes, is_square, shared, member, p, first, rows, columns, y, argmax);
            if (argmax != NULL) argmax += p->channels;
        }
    }
}

// Calls `body` with the shared function and the number of members as constants, for few activations: each costs the
// code of a window.
#define FOR_POOLED_ACTIVATION(body, activation, ...)                                        \
    if (shared_function(activation) == CK_RELU && (activation)->member_count == 1)          \
        body(CK_RELU, 1, activation, __VA_ARGS__);                                          \
    else if (shared_function(activation) == CK_RELU && (activation)->member_count == 2)     \
        body(CK_RELU, 2, activation, __VA_ARGS__);                                          \
    else if (shared_function(activation) == CK_IDENTITY && (activation)->member_count == 1) \
        body(CK_IDENTITY, 1, activation, __VA_ARGS__);                                      \
    else body(MIXED, (activation)->member_count, activation, __VA_ARGS__);

static void pooling_max_forward(
    const ck_pooling *pooling, const ck_activation *activation, const float *image, int64_t out_y, float *y,
    uint8_t *argmax) {
    // Copies, which the stores below can't change.
    const ck_activation members = *activation;
    const ck_pooling p = *pooling;
    if (argmax == NULL) {
        FOR_POOLED_ACTIVATION(max_forward_body, &members, &p, image, out_y, y, NULL)
    } else {
        FOR_POOLED_ACTIVATION(max_forward_body, &members, &p, image, out_y, y, argmax)
    }
}

// Position y, x of an image, and the outputs whose windows hold it.
typedef struct pooled_position {
    int64_t y, x;
    output_span rows, columns;
} pooled_position;

// The gradient that the windows hand down to some channels of a position. `distance` is the distance between outputs.
ALWAYS_INLINE vector handed_down(
    const ck_pooling *p, const uint8_t *argmax, const float *dy, int64_t distance, pooled_position at, int64_t lanes) {
    vector sum = vector_splat(0);
    for (int64_t row = at.rows.low; row < at.rows.high; row++) {
        const int64_t window_y = at.y + p->pad_top - row * p->stride_h;
        for (int64_t column = at.columns.low; column < at.columns.high; column++) {
            const int64_t window_x = at.x + p->pad_left - column * p->stride_w;
            const int64_t place = (row * p->out_width + column) * distance;
            const vector_int index = __builtin_convertvector(load_bytes(argmax + place, lanes), vector_int);
            const vector_int here = index == (vector_int)((int32_t)(window_y * p->window_w + window_x));
            sum += vector_select(here, load_lanes(dy + place, lanes), vector_splat(0));
        }
    }
    return sum;
}

ALWAYS_INLINE void max_backward_lanes(
    int64_t c, int64_t lanes, int shared, int members, const ck_activation *activation, const ck_pooling *p,
    const uint8_t *argmax, const float *z, const float *dy, pooled_position at, float *dz, bool accumulate) {
    const int64_t distance = members * p->channels;
    // Where windows don't overlap, at most one holds the position, and there is no loop.
    const bool is_one = at.rows.high - at.rows.low == 1 && at.columns.high - at.columns.low == 1;
    pooled_position only = at;
    only.rows.high = only.rows.low + 1;
    only.columns.high = only.columns.low + 1;
    const vector value = shared == CK_IDENTITY ? vector_splat(0) : load_lanes(z + at.x * p->channels + c, lanes);
    vector total = accumulate ? load_lanes(dz + c, lanes) : vector_splat(0);
    for (int m = 0; m < members; m++) {
        const int64_t first = m * p->channels + c;
        const vector d = is_one ? handed_down(p, argmax + first, dy + first, distance, only, lanes)
                                : handed_down(p, argmax + first, dy + first, distance, at, lanes);
        total = add_member_gradient(shared, &activation->members[m], value, d, total);
    }
    store_lanes(dz + c, total, lanes);
}

/// Gathers the gradients that the windows over one position hand down to it. So no two tasks write the same place.
ALWAYS_INLINE void max_backward_body(
    int shared, int members, const ck_activation *activation, const ck_pooling *p, const uint8_t *argmax,
    const float *z, const float *dy, int64_t y, float *dz, bool accumulate) {
    pooled_position at = {.y = y, .rows = outputs_over(y, p->stride_h, p->pad_top, p->window_h, p->out_height)};
    for (; at.x < p->width; at.x++, dz += p->channels) {
        move_to(&at.columns, at.x, p->stride_w, p->pad_left, p->window_w, p->out_width);
        FOR_LANES(p->channels, max_backward_lanes, shared, members, activation, p, argmax, z, dy, at, dz, accumulate);
    }
}

static void pooling_max_backward(
    const ck_pooling *pooling, const ck_activation *activation, const uint8_t *argmax, const float *z, const float *dy,
    int64_t y, float *dz, bool accumulate) {
    // Copies, which the stores below can't change.
    const ck_activation members = *activation;
    const ck_pooling p = *pooling;
    if (accumulate) {
        FOR_POOLED_ACTIVATION(max_backward_body, &members, &p, argmax, z, dy, y, dz, true)
    } else {
        FOR_POOLED_ACTIVATION(max_backward_body, &members, &p, argmax, z, dy, y, dz, false)
    }
}

// The positions of a window along one axis that an average counts.
ALWAYS_INLINE int64_t counted(window_span span, int64_t window, int64_t size, int64_t pad, bool counts_padding) {
    return counts_padding ? smaller_of(window, size + pad - span.start) : span.high - span.low;
}

ALWAYS_INLINE float count_of_window(const ck_pooling *p, window_span rows, window_span columns) {
    const int64_t high = counted(rows, p->window_h, p->height, p->pad_bottom, p->counts_padding);
    return (float)(high * counted(columns, p->window_w, p->width, p->pad_right, p->counts_padding));
}

// The sum over a window of `rows` × `columns` positions of the image, the first of which is at `x`, divided by `count`.
ALWAYS_INLINE void average_window_lanes(
    int64_t c, int64_t lanes, const ck_pooling *p, const float *x, int64_t rows, int64_t columns, float count,
    float *y) {
    vector sum = vector_splat(0);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            sum += load_lanes(x + (row * p->width + column) * p->channels + c, lanes);
    store_lanes(y + c, sum / count, lanes);
}

static void pooling_average_forward(const ck_pooling *p, const float *image, int64_t out_y, float *y) {
    const window_span rows = span_of_window(out_y, p->stride_h, p->pad_top, p->window_h, p->height);
    for (int64_t out_x = 0; out_x < p->out_width; out_x++, y += p->channels) {
        const window_span columns = span_of_window(out_x, p->stride_w, p->pad_left, p->window_w, p->width);
        const float *first = image + ((rows.start + rows.low) * p->width + columns.start + columns.low) * p->channels;
        const float count = count_of_window(p, rows, columns);
        FOR_LANES(
            p->channels, average_window_lanes, p, first, rows.high - rows.low, columns.high - columns.low, count, y);
    }
}

ALWAYS_INLINE void average_backward_lanes(
    int64_t c, int64_t lanes, const ck_pooling *p, const float *dy, output_span rows, output_span columns, float *dx,
    bool accumulate) {
    vector sum = vector_splat(0);
    for (int64_t row = rows.low; row < rows.high; row++) {
        const window_span high = span_of_window(row, p->stride_h, p->pad_top, p->window_h, p->height);
        for (int64_t column = columns.low; column < columns.high; column++) {
            const window_span wide = span_of_window(column, p->stride_w, p->pad_left, p->window_w, p->width);
            const float count = count_of_window(p, high, wide);
            sum += load_lanes(dy + (row * p->out_width + column) * p->channels + c, lanes) / count;
        }
    }
    put_lanes(dx + c, sum, lanes, accumulate);
}

ALWAYS_INLINE void average_backward_body(const ck_pooling *p, const float *dy, int64_t y, float *dx, bool accumulate) {
    const output_span rows = outputs_over(y, p->stride_h, p->pad_top, p->window_h, p->out_height);
    output_span columns = {0, 0};
    for (int64_t x = 0; x < p->width; x++, dx += p->channels) {
        move_to(&columns, x, p->stride_w, p->pad_left, p->window_w, p->out_width);
        FOR_LANES(p->channels, average_backward_lanes, p, dy, rows, columns, dx, accumulate);
    }
}

static void pooling_average_backward(
    const ck_pooling *pooling, const float *dy, int64_t y, float *dx, bool accumulate) {
    if (accumulate) average_backward_body(pooling, dy, y, dx, true);
    else average_backward_body(pooling, dy, y, dx, false);
}

ALWAYS_INLINE void row_mean_lanes(int64_t c, int64_t lanes, int64_t rows, int64_t stride, const float *x, float *mean) {
    enum { PART_ROWS = 64 }; // partial sums keep rounding errors small when there are many rows
    vector sum = vector_splat(0);
    for (int64_t first = 0; first < rows; first += PART_ROWS) {
        vector part = vector_splat(0);
        for (int64_t row = first; row < smaller_of(rows, first + PART_ROWS); row++)
            part += load_lanes(x + row * stride + c, lanes);
        sum += part;
    }
    store_lanes(mean + c, sum / (float)rows, lanes);
}

static void pooling_row_mean(int64_t rows, int64_t columns, int64_t stride, const float *x, float *mean) {
    FOR_LANES(columns, row_mean_lanes, rows, stride, x, mean);
}

ALWAYS_INLINE void spread_lanes(
    int64_t c, int64_t lanes, int64_t rows, int64_t stride, const float *row, float divisor, float *out,
    bool accumulate) {
    const vector value = load_lanes(row + c, lanes) / divisor;
    for (int64_t r = 0; r < rows; r++) put_lanes(out + r * stride + c, value, lanes, accumulate);
}

ALWAYS_INLINE void spread_row_body(
    int64_t rows, int64_t columns, int64_t stride, const float *row, float divisor, float *out, bool accumulate) {
    FOR_LANES(columns, spread_lanes, rows, stride, row, divisor, out, accumulate);
}

static void pooling_spread_row(
    int64_t rows, int64_t columns, int64_t stride, const float *row, float divisor, float *out, bool accumulate) {
    if (accumulate) spread_row_body(rows, columns, stride, row, divisor, out, true);
    else spread_row_body(rows, columns, stride, row, divisor, out, false);
}
