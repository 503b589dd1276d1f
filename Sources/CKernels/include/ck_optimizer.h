#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

// Each update reads g = gradient_scale·gradients[i] + weight_decay·parameters[i] and changes parameters and slots in
// place.

/// Scales of the gradient that every update applies first.
typedef struct ck_gradient_terms {
    float gradient_scale; ///< 1, or less when clipping by norm
    float weight_decay;   ///< L2, coupled as PyTorch's `weight_decay`
} ck_gradient_terms;

/// SGD with Keras' velocity: v = momentum·v − lr·g; p += nesterov ? momentum·v − lr·g : v.
/// With momentum 0, velocity may be NULL and p −= lr·g.
void ck_sgd(
    int64_t count, ck_gradient_terms terms, float learning_rate, float momentum, bool nesterov, const float *gradients,
    float *velocity, float *parameters);

/// Adam (Kingma and Ba 2015): m = β1·m + (1 − β1)·g; v = β2·v + (1 − β2)·g²; p −= step_size·m/(√v + epsilon).
/// The caller folds the bias corrections into step_size and epsilon.
void ck_adam(
    int64_t count, ck_gradient_terms terms, float step_size, float beta1, float beta2, float epsilon,
    const float *gradients, float *first_moment, float *second_moment, float *parameters);

/// RMSProp: v = rho·v + (1 − rho)·g²; p −= lr·g/(√v + epsilon).
void ck_rmsprop(
    int64_t count, ck_gradient_terms terms, float learning_rate, float rho, float epsilon, const float *gradients,
    float *mean_square, float *parameters);

#endif
