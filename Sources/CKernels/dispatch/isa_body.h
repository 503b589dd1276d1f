// No include guard: included once by each dispatch/isa_*.c after it has defined CK_VECTOR_BYTES, CK_TABLE (the
// table's name) and the target attribute of everything below.

#include "tiles/vector.h"
#include "tiles/math.h"

const ck_kernels CK_TABLE = {
    .vector_floats = VECTOR_FLOATS,
};
