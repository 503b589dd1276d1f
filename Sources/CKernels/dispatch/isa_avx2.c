#if defined(__x86_64__)

// System headers come before the target attribute: what they define must stay baseline.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dispatch/kernels.h"

#define CK_VECTOR_BYTES 32
#define CK_TABLE ck_kernels_avx2
#define CK_NARROW_GEMM NULL

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "dispatch/isa_body-inl.h"
#pragma clang attribute pop

#endif
