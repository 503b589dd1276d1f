// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Vectors are clang's vector extension, so
// that one source serves every instruction set. a·b + c in one expression becomes an FMA where there is one.

typedef float vector __attribute__((ext_vector_type(CK_VECTOR_BYTES / 4)));
typedef int32_t vector_int __attribute__((ext_vector_type(CK_VECTOR_BYTES / 4)));
enum { VECTOR_FLOATS = CK_VECTOR_BYTES / 4 };

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")

// Before the loop in which a kernel spends its time. The loop isn't unrolled, and begins a line of the cache. Elsewhere
// the loop could reach over one line more than it needs, and any change of other code would move the loop. Clang drops
// the alignment if the other request is a pragma.
#define INNER_LOOP __attribute__((code_align(64), opencl_unroll_hint(1)))

ALWAYS_INLINE vector vector_splat(float value) { return (vector)(value); }

ALWAYS_INLINE vector vector_load(const float *source) {
    vector value;
    __builtin_memcpy(&value, source, sizeof value);
    return value;
}

ALWAYS_INLINE void vector_store(float *target, vector value) { __builtin_memcpy(target, &value, sizeof value); }

#if CK_VECTOR_BYTES == 32
typedef float half_vector __attribute__((ext_vector_type(4)));

/// All ones in the first `count` lanes.
ALWAYS_INLINE __m256i vector_part_mask(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

/// The first `count` floats (0 … VECTOR_FLOATS), the rest zero; touches nothing past them.
ALWAYS_INLINE vector vector_load_part(const float *source, int64_t count) {
#if CK_VECTOR_BYTES == 64
    return (vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), source);
#elif CK_VECTOR_BYTES == 32
    return (vector)_mm256_maskload_ps(source, vector_part_mask(count));
#else
    vector value = (vector)(0.0f);
    if (count > 0) value[0] = source[0];
    if (count > 1) value[1] = source[1];
    if (count > 2) value[2] = source[2];
    if (count > 3) value[3] = source[3];
    return value;
#endif
}

/// Writes the first `count` lanes (0 … VECTOR_FLOATS); touches nothing past them.
ALWAYS_INLINE void vector_store_part(float *target, vector value, int64_t count) {
#if CK_VECTOR_BYTES == 64
    _mm512_mask_storeu_ps(target, (__mmask16)((1u << count) - 1), (__m512)value);
#elif CK_VECTOR_BYTES == 32
    if (count == VECTOR_FLOATS) {
        vector_store(target, value);
        return;
    }
    // A masked store would be microcoded on AMD's cores.
    half_vector lanes = value.lo;
    if (count & 4) {
        __builtin_memcpy(target, &lanes, 16);
        target += 4;
        lanes = value.hi;
    }
    if (count & 2) {
        __builtin_memcpy(target, &lanes, 8);
        target += 2;
        lanes = lanes.zwzw;
    }
    if (count & 1) *target = lanes.x;
#else
    if (count > 0) target[0] = value[0];
    if (count > 1) target[1] = value[1];
    if (count > 2) target[2] = value[2];
    if (count > 3) target[3] = value[3];
#endif
}

/// mask ? a : b per lane, for a mask of all ones or all zeros (what a comparison gives).
ALWAYS_INLINE vector vector_select(vector_int mask, vector a, vector b) {
    return (vector)(((vector_int)a & mask) | ((vector_int)b & ~mask));
}

/// The larger and the smaller of two per lane; b where they are equal or one is NaN, as x86 has it.
ALWAYS_INLINE vector vector_larger(vector a, vector b) {
#if CK_VECTOR_BYTES == 64
    return (vector)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return vector_select(a > b, a, b);
#endif
}

ALWAYS_INLINE vector vector_smaller(vector a, vector b) {
#if CK_VECTOR_BYTES == 64
    return (vector)_mm512_min_ps((__m512)a, (__m512)b);
#else
    return vector_select(a < b, a, b);
#endif
}
