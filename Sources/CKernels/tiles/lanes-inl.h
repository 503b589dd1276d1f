// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. A loop over floats calls a function with
// a constant number of lanes for whole vectors, and once more for the rest.

ALWAYS_INLINE vector load_lanes(const float *source, int64_t lanes) {
    return lanes == VECTOR_FLOATS ? vector_load(source) : vector_load_part(source, lanes);
}

ALWAYS_INLINE void store_lanes(float *target, vector value, int64_t lanes) {
    if (lanes == VECTOR_FLOATS) vector_store(target, value);
    else vector_store_part(target, value, lanes);
}

/// target = value, or target += value.
ALWAYS_INLINE void put_lanes(float *target, vector value, int64_t lanes, bool accumulate) {
    store_lanes(target, accumulate ? load_lanes(target, lanes) + value : value, lanes);
}

ALWAYS_INLINE int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }
ALWAYS_INLINE int64_t larger_of(int64_t a, int64_t b) { return a > b ? a : b; }

/// Calls body(index, lanes, …) for index = 0, VECTOR_FLOATS, 2·VECTOR_FLOATS … below `count`, with fewer lanes at the
/// end. `lanes` is a constant VECTOR_FLOATS for whole vectors.
#define FOR_LANES(count, body, ...)                                                                                  \
    do {                                                                                                             \
        int64_t index_ = 0;                                                                                          \
        for (; index_ + VECTOR_FLOATS <= (count); index_ += VECTOR_FLOATS) body(index_, VECTOR_FLOATS, __VA_ARGS__); \
        if (index_ < (count)) body(index_, (count)-index_, __VA_ARGS__);                                             \
    } while (0)

typedef double vector_double __attribute__((ext_vector_type(VECTOR_FLOATS)));

// A macro: a function that passes two registers' worth would depend on the ABI.
#define vector_to_double(value) __builtin_convertvector(value, vector_double)

typedef uint8_t vector_byte __attribute__((ext_vector_type(VECTOR_FLOATS)));

ALWAYS_INLINE vector_byte load_bytes(const uint8_t *source, int64_t lanes) {
    vector_byte bytes = (vector_byte)((uint8_t)0);
    if (lanes == VECTOR_FLOATS) __builtin_memcpy(&bytes, source, sizeof bytes);
#if CK_VECTOR_BYTES == 64
    else bytes = (vector_byte)_mm_maskz_loadu_epi8((__mmask16)((1u << lanes) - 1), source);
#else
    else
        for (int64_t lane = 0; lane < lanes; lane++) bytes[lane] = source[lane];
#endif
    return bytes;
}

ALWAYS_INLINE void store_bytes(uint8_t *target, vector_byte bytes, int64_t lanes) {
    if (lanes == VECTOR_FLOATS) __builtin_memcpy(target, &bytes, sizeof bytes);
#if CK_VECTOR_BYTES == 64
    else _mm_mask_storeu_epi8(target, (__mmask16)((1u << lanes) - 1), (__m128i)bytes);
#else
    else
        for (int64_t lane = 0; lane < lanes; lane++) target[lane] = bytes[lane];
#endif
}
