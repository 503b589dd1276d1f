// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Columns are walked in strips that are
// short enough for the stack. Rows are walked in parts that are short enough for accurate sums in single precision; the
// parts are combined in double.

enum { STRIP_COLUMNS = 256, NORMALIZATION_ROWS = 64, TOGETHER_ROWS = 4 };

ALWAYS_INLINE void add_four_rows(int64_t c, int64_t lanes, int64_t stride, const float *x, float *sums) {
    const float *source = x + c;
    const vector low = load_lanes(source, lanes) + load_lanes(source + stride, lanes);
    const vector high = load_lanes(source + 2 * stride, lanes) + load_lanes(source + 3 * stride, lanes);
    store_lanes(sums + c, load_lanes(sums + c, lanes) + (low + high), lanes);
}

ALWAYS_INLINE void add_row(int64_t c, int64_t lanes, const float *x, float *sums) {
    store_lanes(sums + c, load_lanes(sums + c, lanes) + load_lanes(x + c, lanes), lanes);
}

/// Adds to sums[c] the columns of up to NORMALIZATION_ROWS rows.
ALWAYS_INLINE void add_up_columns(int64_t rows, int64_t width, int64_t stride, const float *x, float *sums) {
    int64_t row = 0;
    for (; row + TOGETHER_ROWS <= rows; row += TOGETHER_ROWS, x += TOGETHER_ROWS * stride)
        FOR_LANES(width, add_four_rows, stride, x, sums);
    for (; row < rows; row++, x += stride) FOR_LANES(width, add_row, x, sums);
}

ALWAYS_INLINE void add_four_deviations(
    int64_t c, int64_t lanes, int64_t stride, const float *x, const float *center, float *sums, float *squares) {
    const vector middle = load_lanes(center + c, lanes);
    const vector d0 = load_lanes(x + c, lanes) - middle, d1 = load_lanes(x + stride + c, lanes) - middle;
    const vector d2 = load_lanes(x + 2 * stride + c, lanes) - middle;
    const vector d3 = load_lanes(x + 3 * stride + c, lanes) - middle;
    store_lanes(sums + c, load_lanes(sums + c, lanes) + ((d0 + d1) + (d2 + d3)), lanes);
    const vector square = (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    store_lanes(squares + c, load_lanes(squares + c, lanes) + square, lanes);
}

ALWAYS_INLINE void add_deviation(
    int64_t c, int64_t lanes, const float *x, const float *center, float *sums, float *squares) {
    const vector d = load_lanes(x + c, lanes) - load_lanes(center + c, lanes);
    store_lanes(sums + c, load_lanes(sums + c, lanes) + d, lanes);
    store_lanes(squares + c, load_lanes(squares + c, lanes) + d * d, lanes);
}

/// Adds to sums[c] and squares[c] the columns' deviations from center[c] and their squares.
ALWAYS_INLINE void add_up_deviations(
    int64_t rows, int64_t width, int64_t stride, const float *x, const float *center, float *sums, float *squares) {
    int64_t row = 0;
    for (; row + TOGETHER_ROWS <= rows; row += TOGETHER_ROWS, x += TOGETHER_ROWS * stride)
        FOR_LANES(width, add_four_deviations, stride, x, center, sums, squares);
    for (; row < rows; row++, x += stride) FOR_LANES(width, add_deviation, x, center, sums, squares);
}

/// Every part is summed around its own mean, which cancels nothing, and joined to the parts before it by the formula of
/// Chan, Golub and LeVeque (1979). The sum of the deviations takes the rounding of this mean out again.
static void normalization_moments(
    int64_t rows_before, int64_t rows, int64_t columns, const float *x, double *mean, double *squares) {
    for (int64_t strip = 0; strip < columns; strip += STRIP_COLUMNS) {
        const int64_t width = smaller_of(STRIP_COLUMNS, columns - strip);
        for (int64_t first = 0; first < rows; first += NORMALIZATION_ROWS) {
            const int64_t part = smaller_of(NORMALIZATION_ROWS, rows - first);
            const float *source = x + first * columns + strip;
            float center[STRIP_COLUMNS] = {0}, deviations[STRIP_COLUMNS] = {0}, deviation_squares[STRIP_COLUMNS] = {0};
            add_up_columns(part, width, columns, source, center);
            for (int64_t c = 0; c < width; c++) center[c] *= 1.0f / (float)part;
            add_up_deviations(part, width, columns, source, center, deviations, deviation_squares);
            double *const strip_mean = mean + strip, *const strip_squares = squares + strip;
            const int64_t known = rows_before + first;
            const double count = (double)part, weight = count / (double)(known + part), rest = (double)known * weight;
            for (int64_t c = 0; c < width; c++) {
                const double off = deviations[c] / count;
                const double part_mean = center[c] + off, difference = deviation_squares[c] - off * deviations[c];
                const double part_squares = difference < 0 ? 0 : difference; // rounding, in a constant column
                const double before = known == 0 ? part_mean : strip_mean[c];
                const double step = part_mean - before;
                strip_mean[c] = before + step * weight;
                strip_squares[c] = (known == 0 ? 0 : strip_squares[c]) + part_squares + step * step * rest;
            }
        }
    }
}

ALWAYS_INLINE void add_gradient_sums(
    int64_t c, int64_t lanes, const float *x, const float *dy, const float *center, float *sum_d, float *sum_dy,
    float *sum_d_dy) {
    const vector d = load_lanes(x + c, lanes) - load_lanes(center + c, lanes);
    const vector g = load_lanes(dy + c, lanes);
    store_lanes(sum_d + c, load_lanes(sum_d + c, lanes) + d, lanes);
    store_lanes(sum_dy + c, load_lanes(sum_dy + c, lanes) + g, lanes);
    store_lanes(sum_d_dy + c, load_lanes(sum_d_dy + c, lanes) + d * g, lanes);
}

static void normalization_gradient_sums(
    int64_t rows, int64_t columns, const float *x, const float *dy, const float *center, double *sum_d, double *sum_dy,
    double *sum_d_dy) {
    for (int64_t strip = 0; strip < columns; strip += STRIP_COLUMNS) {
        const int64_t width = smaller_of(STRIP_COLUMNS, columns - strip);
        const float *const middle = center + strip;
        for (int64_t first = 0; first < rows; first += NORMALIZATION_ROWS) {
            const int64_t last = smaller_of(rows, first + NORMALIZATION_ROWS);
            float part_d[STRIP_COLUMNS] = {0}, part_dy[STRIP_COLUMNS] = {0}, part_d_dy[STRIP_COLUMNS] = {0};
            // Row by row: several rows at a time would read memory in stretches of a row, which is slower.
            for (int64_t row = first; row < last; row++) {
                const float *const x_row = x + row * columns + strip, *const dy_row = dy + row * columns + strip;
                FOR_LANES(width, add_gradient_sums, x_row, dy_row, middle, part_d, part_dy, part_d_dy);
            }
            for (int64_t c = 0; c < width; c++) {
                sum_d[strip + c] += part_d[c];
                sum_dy[strip + c] += part_dy[c];
                sum_d_dy[strip + c] += part_d_dy[c];
            }
        }
    }
}

ALWAYS_INLINE void scale_shift_lanes(
    int64_t c, int64_t lanes, const float *x, const float *center, const float *scale, const float *shift, float *y) {
    const vector d = load_lanes(x + c, lanes) - load_lanes(center + c, lanes);
    store_lanes(y + c, d * load_lanes(scale + c, lanes) + load_lanes(shift + c, lanes), lanes);
}

static void normalization_scale_shift(
    int64_t rows, int64_t columns, const float *x, const float *center, const float *scale, const float *shift,
    float *y) {
    for (int64_t row = 0; row < rows; row++, x += columns, y += columns)
        FOR_LANES(columns, scale_shift_lanes, x, center, scale, shift, y);
}

ALWAYS_INLINE void normalization_gradient_lanes(
    int64_t c, int64_t lanes, const float *x, const float *dy, const float *center, const float *scale,
    const float *slope, const float *shift, float *dx, bool accumulate) {
    const vector d = load_lanes(x + c, lanes) - load_lanes(center + c, lanes);
    const vector direct = load_lanes(dy + c, lanes) * load_lanes(scale + c, lanes);
    const vector value = (direct - load_lanes(shift + c, lanes)) - d * load_lanes(slope + c, lanes);
    put_lanes(dx + c, value, lanes, accumulate);
}

ALWAYS_INLINE void normalization_gradient_body(
    int64_t rows, int64_t columns, const float *x, const float *dy, const float *center, const float *scale,
    const float *slope, const float *shift, float *dx, bool accumulate) {
    for (int64_t row = 0; row < rows; row++, x += columns, dy += columns, dx += columns)
        FOR_LANES(columns, normalization_gradient_lanes, x, dy, center, scale, slope, shift, dx, accumulate);
}

static void normalization_gradient(
    int64_t rows, int64_t columns, const float *x, const float *dy, const float *center, const float *scale,
    const float *slope, const float *shift, float *dx, bool accumulate) {
    if (accumulate) normalization_gradient_body(rows, columns, x, dy, center, scale, slope, shift, dx, true);
    else normalization_gradient_body(rows, columns, x, dy, center, scale, slope, shift, dx, false);
}
