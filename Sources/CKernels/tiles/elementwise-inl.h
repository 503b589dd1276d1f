// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.

ALWAYS_INLINE void add_lanes(int64_t i, int64_t lanes, const float *a, const float *b, float *out) {
    store_lanes(out + i, load_lanes(a + i, lanes) + load_lanes(b + i, lanes), lanes);
}

static void elementwise_add(int64_t count, const float *a, const float *b, float *out) {
    FOR_LANES(count, add_lanes, a, b, out);
}

ALWAYS_INLINE void scale_lanes(int64_t i, int64_t lanes, float factor, float *x) {
    store_lanes(x + i, load_lanes(x + i, lanes) * factor, lanes);
}

static void elementwise_scale(int64_t count, float factor, float *x) { FOR_LANES(count, scale_lanes, factor, x); }

ALWAYS_INLINE void copy_lanes(int64_t i, int64_t lanes, const float *x, float *out, bool accumulate) {
    put_lanes(out + i, load_lanes(x + i, lanes), lanes, accumulate);
}

ALWAYS_INLINE void copy_rows_body(
    int64_t rows, int64_t columns, const float *x, int64_t x_stride, float *out, int64_t out_stride, bool accumulate) {
    for (int64_t row = 0; row < rows; row++, x += x_stride, out += out_stride)
        FOR_LANES(columns, copy_lanes, x, out, accumulate);
}

static void elementwise_copy_rows(
    int64_t rows, int64_t columns, const float *x, int64_t x_stride, float *out, int64_t out_stride, bool accumulate) {
    if (accumulate) copy_rows_body(rows, columns, x, x_stride, out, out_stride, true);
    else copy_rows_body(rows, columns, x, x_stride, out, out_stride, false);
}

static double elementwise_sum_of_squares(int64_t count, const float *x) {
    // The square of a float is exact in a double. Two sums hide the latency of the addition.
    vector_double even = (vector_double)(0.0), odd = even;
    int64_t i = 0;
    for (; i + 2 * VECTOR_FLOATS <= count; i += 2 * VECTOR_FLOATS) {
        const vector_double a = vector_to_double(vector_load(x + i));
        const vector_double b = vector_to_double(vector_load(x + i + VECTOR_FLOATS));
        even += a * a;
        odd += b * b;
    }
    for (; i < count; i += VECTOR_FLOATS) {
        const vector_double a = vector_to_double(vector_load_part(x + i, smaller_of(VECTOR_FLOATS, count - i)));
        even += a * a;
    }
    even += odd;
    double sum = 0;
    for (int lane = 0; lane < VECTOR_FLOATS; lane++) sum += even[lane];
    return sum;
}

ALWAYS_INLINE vector_int nonfinite_lanes(vector value) {
    return ((vector_int)value & 0x7F800000) == (vector_int)(0x7F800000);
}

static int64_t elementwise_first_nonfinite(int64_t count, const float *x) {
    enum { AT_ONCE = 8 * VECTOR_FLOATS };
    int64_t i = 0;
    for (; i + AT_ONCE <= count; i += AT_ONCE) {
        vector_int found = (vector_int)(0);
        UNROLL for (int part = 0; part < 8; part++) found |= nonfinite_lanes(vector_load(x + i + part * VECTOR_FLOATS));
        if (__builtin_reduce_or(found) != 0) break;
    }
    for (; i < count; i++) {
        uint32_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        if ((bits & 0x7F800000u) == 0x7F800000u) return i;
    }
    return -1;
}
