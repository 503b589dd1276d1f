#ifndef CK_POST_OPS_DRIVER_H
#define CK_POST_OPS_DRIVER_H

#include "dispatch/kernels.h"
#include "include/ck_post_ops.h"

/// Applies `post_ops` (or NULL) to y[offset ..< offset + count], which is in the cache.
void ck_apply_post_ops(const ck_kernels *kernels, const ck_post_ops *post_ops, int64_t offset, int64_t count, float *y);

#endif
