#ifndef CK_POST_OPS_H
#define CK_POST_OPS_H

#include "ck_activation.h"

/// Operations on a result before the result is stored: y = activation(result + addend_activation(addend)). Both
/// activations have one member without slopes.
typedef struct ck_post_ops {
    const float *addend; ///< a tensor of y's shape; NULL: 0
    ck_activation addend_activation;
    ck_activation activation; ///< none if it has no members
} ck_post_ops;

#endif
