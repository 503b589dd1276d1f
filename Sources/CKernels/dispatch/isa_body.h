// No include guard: included once by each dispatch/isa_*.c after it has defined CK_VECTOR_BYTES, CK_TABLE (the
// table's name) and the target attribute of everything below.

#include "tiles/vector.h"
#include "tiles/math.h"
#include "tiles/activation.h"
#include "tiles/gemm.h"
#include "tiles/transpose.h"

const ck_kernels CK_TABLE = {
    .vector_floats = VECTOR_FLOATS,
    .gemm = {.rows = TILE_ROWS, .vectors = TILE_VECTORS, .tile = GEMM_TABLE, .transpose = transpose},
    .activation = {.forward = activation_forward, .backward = activation_backward},
};
