#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

// An update reads g = gradient_scale·gradients[i] + weight_decay·parameters[i], and changes parameters and slots in
// place. Each rule has a struct with its settings; the comment on the struct says which slots the rule has.

/// Scales of the gradient that every update applies first.
typedef struct ck_gradient_terms {
    float gradient_scale; ///< 1, or less when clipping by norm
    float weight_decay;   ///< L2, coupled as PyTorch's `weight_decay`
} ck_gradient_terms;

/// SGD with Keras' velocity v, the first slot: v = momentum·v − lr·g; p += nesterov ? momentum·v − lr·g : v.
/// With momentum 0, the slot may be NULL: p −= lr·g.
typedef struct ck_sgd {
    float learning_rate, momentum;
    bool nesterov;
} ck_sgd;

/// Adam (Kingma and Ba 2015) with the moments m and v as slots: m += first_share·(g − m); v += second_share·(g² − v);
/// p −= step_size·m/(√v + epsilon). The shares are 1 − β1 and 1 − β2. The caller folds the bias corrections into
/// step_size and epsilon.
typedef struct ck_adam {
    float step_size, first_share, second_share, epsilon;
} ck_adam;

/// RMSProp with the mean square v as the first slot: v += share·(g² − v); p −= lr·g/(√v + epsilon). The share is 1 − ρ.
typedef struct ck_rmsprop {
    float learning_rate, share, epsilon;
} ck_rmsprop;

typedef enum ck_rule_kind {
    CK_SGD = 0,
    CK_ADAM = 1,
    CK_RMSPROP = 2,
} ck_rule_kind;

/// The settings of one rule.
typedef union ck_rule_settings {
    ck_sgd sgd;
    ck_adam adam;
    ck_rmsprop rmsprop;
} ck_rule_settings;

typedef struct ck_update_rule {
    ck_rule_kind kind;
    ck_rule_settings settings; ///< the member that `kind` names
} ck_update_rule;

/// The memory of a rule, one float for each parameter in each slot. A slot that the rule does not have is NULL.
typedef struct ck_slots {
    float *first, *second;
} ck_slots;

void ck_update(
    int64_t count, ck_gradient_terms terms, ck_update_rule rule, const float *gradients, ck_slots slots,
    float *parameters);

#endif
