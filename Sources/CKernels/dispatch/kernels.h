#ifndef CK_KERNELS_H
#define CK_KERNELS_H

// The dispatch table: one instance per instruction set, filled by dispatch/isa_*.c from the same tile sources. Drivers
// know tiles through this table and no SIMD; tiles know SIMD and no threads.

#include "dispatch/activation_tiles.h"
#include "dispatch/chain_tiles.h"
#include "dispatch/elementwise_tiles.h"
#include "dispatch/into_dense_tiles.h"
#include "dispatch/gemm_tiles.h"
#include "dispatch/input_tiles.h"
#include "dispatch/loss_tiles.h"
#include "dispatch/normalization_tiles.h"
#include "dispatch/optimizer_tiles.h"
#include "dispatch/pooling_tiles.h"
#include "dispatch/winograd_tiles.h"

typedef struct ck_kernels {
    int vector_floats; ///< floats in a vector of this instruction set
    activation_tiles activation;
    chain_tiles chain;
    elementwise_tiles elementwise;
    into_dense_tiles into_dense;
    gemm_tiles gemm;
    input_tiles input;
    loss_tiles loss;
    normalization_tiles normalization;
    optimizer_tiles optimizer;
    pooling_tiles pooling;
    winograd_tiles winograd[WINOGRAD_KINDS];
} ck_kernels;

extern const ck_kernels ck_kernels_portable;
#if defined(__aarch64__)
extern const ck_kernels ck_kernels_neon;
#elif defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2;
extern const ck_kernels ck_kernels_avx512;
#endif

/// The table of the instruction set that the calling thread uses.
const ck_kernels *ck_kernels_current(void);

#endif
