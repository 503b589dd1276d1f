// No include guard: part of dispatch/isa_body.h, once per instruction set. Vectors are clang's vector extension, so one source
// serves every instruction set; a·b + c in one expression becomes an FMA where there is one.

typedef float vector __attribute__((ext_vector_type(CK_VECTOR_BYTES / 4)));
typedef int32_t vector_int __attribute__((ext_vector_type(CK_VECTOR_BYTES / 4)));
enum { VECTOR_FLOATS = CK_VECTOR_BYTES / 4 };

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")

ALWAYS_INLINE vector vector_splat(float value) { return (vector)(value); }

ALWAYS_INLINE vector vector_load(const float *source) {
    vector value;
    __builtin_memcpy(&value, source, sizeof value);
    return value;
}

ALWAYS_INLINE void vector_store(float *target, vector value) { __builtin_memcpy(target, &value, sizeof value); }

/// The first `count` floats, the rest zero; touches nothing past them.
ALWAYS_INLINE vector vector_load_part(const float *source, int64_t count) {
    vector value = (vector)(0.0f);
    __builtin_memcpy(&value, source, (size_t)count * sizeof(float));
    return value;
}

ALWAYS_INLINE void vector_store_part(float *target, vector value, int64_t count) {
    __builtin_memcpy(target, &value, (size_t)count * sizeof(float));
}

/// mask ? a : b per lane, for a mask of all ones or all zeros (what a comparison gives).
ALWAYS_INLINE vector vector_select(vector_int mask, vector a, vector b) {
    return (vector)(((vector_int)a & mask) | ((vector_int)b & ~mask));
}
