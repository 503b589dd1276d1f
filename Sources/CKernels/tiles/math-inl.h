// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. Elementary functions of vectors.

/// x = n·ln 2 + r with |r| ≤ ln 2 / 2 (a little more is harmless), n an integer and |x| < 2^22.
typedef struct reduced {
    vector r;
    vector_int n;
} reduced;

ALWAYS_INLINE reduced reduce_by_ln2(vector x) {
    // Adding 1.5·2^23 rounds to an integer and leaves it in the low bits of the significand.
    const vector shift = vector_splat(0x1.8p23f);
    const vector shifted = x * vector_splat(1.44269504f) + shift;
    const vector n = shifted - shift;
    // ln 2 in two parts, the first so short that n times it is exact without FMA too.
    const vector r = (x - n * vector_splat(0x1.63p-1f)) + n * vector_splat(2.12194440e-4f);
    return (reduced){r, (vector_int)shifted - (vector_int)shift};
}

/// e^r − 1 for |r| ≤ ln 2 / 2: the Taylor polynomial of degree 7, off by at most 6e-9.
ALWAYS_INLINE vector exp_minus_1_reduced(vector r) {
    vector sum = vector_splat(1.0f / 5040);
    sum = sum * r + vector_splat(1.0f / 720);
    sum = sum * r + vector_splat(1.0f / 120);
    sum = sum * r + vector_splat(1.0f / 24);
    sum = sum * r + vector_splat(1.0f / 6);
    sum = sum * r + vector_splat(0.5f);
    return (r * r) * sum + r;
}

/// 2^n for −127 < n < 128.
ALWAYS_INLINE vector power_of_2(vector_int n) { return (vector)((n + 127) << 23); }

/// e^x within 2 ulp. Overflow gives +∞, underflow denormals and 0, NaN stays NaN.
ALWAYS_INLINE vector vector_exp(vector x) {
    x = vector_select(x > 89.0f, vector_splat(89.0f), x);
    x = vector_select(x < -105.0f, vector_splat(-105.0f), x);
    const reduced part = reduce_by_ln2(x);
    // 2^n in two factors, for n reaches from −151 to 128.
    const vector_int half = part.n >> 1;
    const vector significand = exp_minus_1_reduced(part.r) + 1.0f;
    return significand * power_of_2(half) * power_of_2(part.n - half);
}

/// e^x − 1 for x ≤ 0 (NaN stays NaN) within 2 ulp, near 0 too, where e^x minus 1 would cancel.
ALWAYS_INLINE vector vector_exp_minus_1(vector x) {
    x = vector_select(x < -30.0f, vector_splat(-30.0f), x);
    const reduced part = reduce_by_ln2(x);
    const vector scale = power_of_2(part.n);
    return exp_minus_1_reduced(part.r) * scale + (scale - 1.0f);
}

/// 1 / (1 + e^−x).
ALWAYS_INLINE vector vector_sigmoid(vector x) { return 1.0f / (1.0f + vector_exp(-x)); }
