// No include guard: part of dispatch/isa_body-inl.h, once per instruction set.

ALWAYS_INLINE vector load_pixels(const uint8_t *source, int64_t lanes) {
    return __builtin_convertvector(load_bytes(source, lanes), vector);
}

ALWAYS_INLINE void convert_lanes(
    int64_t i, int64_t lanes, const uint8_t *pixels, const float *scale, const float *offset, float *out) {
    const vector value = load_pixels(pixels + i, lanes);
    store_lanes(out + i, value * load_lanes(scale + i, lanes) + load_lanes(offset + i, lanes), lanes);
}

static void input_convert(int64_t count, const uint8_t *pixels, const float *scale, const float *offset, float *out) {
    FOR_LANES(count, convert_lanes, pixels, scale, offset, out);
}

ALWAYS_INLINE void interpolate_bytes_lanes(
    int64_t i, int64_t lanes, const uint8_t *left, const uint8_t *right, float fraction, float *out) {
    const vector from = load_pixels(left + i, lanes);
    const vector to = load_pixels(right + i, lanes);
    store_lanes(out + i, from + fraction * (to - from), lanes);
}

static void input_interpolate_bytes(
    int64_t count, const uint8_t *left, const uint8_t *right, float fraction, float *out) {
    FOR_LANES(count, interpolate_bytes_lanes, left, right, fraction, out);
}

ALWAYS_INLINE void interpolate_rows_lanes(
    int64_t i, int64_t lanes, const float *upper, const float *lower, float fraction, const float *scale,
    const float *offset, float *out) {
    const vector from = load_lanes(upper + i, lanes);
    const vector to = load_lanes(lower + i, lanes);
    const vector value = from + fraction * (to - from);
    store_lanes(out + i, value * load_lanes(scale + i, lanes) + load_lanes(offset + i, lanes), lanes);
}

static void input_interpolate_rows(
    int64_t count, const float *upper, const float *lower, float fraction, const float *scale, const float *offset,
    float *out) {
    FOR_LANES(count, interpolate_rows_lanes, upper, lower, fraction, scale, offset, out);
}
