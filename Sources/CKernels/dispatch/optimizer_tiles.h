#ifndef CK_OPTIMIZER_TILES_H
#define CK_OPTIMIZER_TILES_H

#include "include/ck_optimizer.h"

typedef struct optimizer_tiles {
    /// ck_update over a part of the parameters.
    void (*update)(
        int64_t count, ck_gradient_terms terms, const ck_update_rule *rule, const float *gradients, ck_slots slots,
        float *parameters);
} optimizer_tiles;

#endif
