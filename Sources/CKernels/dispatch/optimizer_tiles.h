#ifndef CK_OPTIMIZER_TILES_H
#define CK_OPTIMIZER_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "include/ck_optimizer.h"

/// The updates of include/ck_optimizer.h over a part of the parameters.
typedef struct optimizer_tiles {
    /// velocity is NULL for plain gradient descent.
    void (*sgd)(
        int64_t count, ck_gradient_terms terms, float learning_rate, float momentum, bool nesterov,
        const float *gradients, float *velocity, float *parameters);
    void (*adam)(
        int64_t count, ck_gradient_terms terms, float step_size, float beta1, float beta2, float epsilon,
        const float *gradients, float *first_moment, float *second_moment, float *parameters);
    void (*rmsprop)(
        int64_t count, ck_gradient_terms terms, float learning_rate, float rho, float epsilon, const float *gradients,
        float *mean_square, float *parameters);
} optimizer_tiles;

#endif
