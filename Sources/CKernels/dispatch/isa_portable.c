#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dispatch/kernels.h"

#define CK_VECTOR_BYTES 16
#define CK_TABLE ck_kernels_portable
#define CK_NARROW_GEMM NULL

#include "dispatch/isa_body-inl.h"
