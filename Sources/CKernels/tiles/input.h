// No include guard: part of dispatch/isa_body.h, once per instruction set.

ALWAYS_INLINE vector load_pixels(const uint8_t *source, int64_t lanes) {
    return __builtin_convertvector(load_bytes(source, lanes), vector);
}

static void input_convert(int64_t count, const uint8_t *pixels, const float *scale, const float *offset, float *out) {
#define BODY(i, lanes) \
    store_lanes(       \
        out + (i),     \
        load_pixels(pixels + (i), lanes) * load_lanes(scale + (i), lanes) + load_lanes(offset + (i), lanes), lanes)
    FOR_LANES(count, BODY);
#undef BODY
}

static void input_interpolate_bytes(
    int64_t count, const uint8_t *left, const uint8_t *right, float fraction, float *out) {
#define BODY(i, lanes)                                                \
    do {                                                              \
        const vector from = load_pixels(left + (i), lanes);           \
        const vector to = load_pixels(right + (i), lanes);            \
        store_lanes(out + (i), from + fraction * (to - from), lanes); \
    } while (0)
    FOR_LANES(count, BODY);
#undef BODY
}

static void input_interpolate_rows(
    int64_t count, const float *upper, const float *lower, float fraction, const float *scale, const float *offset,
    float *out) {
#define BODY(i, lanes)                                                                                           \
    do {                                                                                                         \
        const vector from = load_lanes(upper + (i), lanes);                                                      \
        const vector to = load_lanes(lower + (i), lanes);                                                        \
        const vector value = from + fraction * (to - from);                                                      \
        store_lanes(out + (i), value * load_lanes(scale + (i), lanes) + load_lanes(offset + (i), lanes), lanes); \
    } while (0)
    FOR_LANES(count, BODY);
#undef BODY
}
