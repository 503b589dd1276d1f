#if defined(__x86_64__)

// System headers come before the target attribute: what they define must stay baseline.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dispatch/kernels.h"

#define CK_VECTOR_BYTES 64
#define CK_TABLE ck_kernels_avx512
#define CK_NARROW_GEMM &ck_kernels_avx2.gemm

// Listing the features keeps 64-byte vectors whole; arch=x86-64-v4 would split them.
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "dispatch/isa_body-inl.h"
#pragma clang attribute pop

#endif
