// No include guard: part of dispatch/isa_body-inl.h, once per instruction set. The updates of the optimizers (contract:
// include/ck_optimizer.h).

ALWAYS_INLINE vector gradient_of(ck_gradient_terms terms, vector gradient, vector parameter) {
    return terms.gradient_scale * gradient + terms.weight_decay * parameter;
}

typedef enum sgd_kind { SGD_PLAIN, SGD_MOMENTUM, SGD_NESTEROV } sgd_kind;

// `kind` is a constant wherever this is inlined.
ALWAYS_INLINE void sgd_lanes(
    int64_t i, int64_t lanes, sgd_kind kind, ck_gradient_terms terms, ck_sgd rule, const float *gradients,
    float *velocity, float *parameters) {
    const vector parameter = load_lanes(parameters + i, lanes);
    const vector step = rule.learning_rate * gradient_of(terms, load_lanes(gradients + i, lanes), parameter);
    vector change = -step;
    if (kind != SGD_PLAIN) {
        change = rule.momentum * load_lanes(velocity + i, lanes) - step;
        store_lanes(velocity + i, change, lanes);
    }
    if (kind == SGD_NESTEROV) change = rule.momentum * change - step;
    store_lanes(parameters + i, parameter + change, lanes);
}

static void sgd_update(
    int64_t count, ck_gradient_terms terms, ck_sgd rule, const float *gradients, float *velocity, float *parameters) {
    if (velocity == NULL) FOR_LANES(count, sgd_lanes, SGD_PLAIN, terms, rule, gradients, velocity, parameters);
    else if (rule.nesterov) FOR_LANES(count, sgd_lanes, SGD_NESTEROV, terms, rule, gradients, velocity, parameters);
    else FOR_LANES(count, sgd_lanes, SGD_MOMENTUM, terms, rule, gradients, velocity, parameters);
}

// The mean moves by a share of the way to `value`. The share holds 1 − β to a rounding, where β in single precision
// would hold 1 − β to 1e-4 for β = 0.9999.
ALWAYS_INLINE vector moving_mean(vector mean, float share, vector value) { return mean + share * (value - mean); }

ALWAYS_INLINE void adam_lanes(
    int64_t i, int64_t lanes, ck_gradient_terms terms, ck_adam rule, const float *gradients, float *first_moment,
    float *second_moment, float *parameters) {
    const vector parameter = load_lanes(parameters + i, lanes);
    const vector g = gradient_of(terms, load_lanes(gradients + i, lanes), parameter);
    const vector m = moving_mean(load_lanes(first_moment + i, lanes), rule.first_share, g);
    const vector v = moving_mean(load_lanes(second_moment + i, lanes), rule.second_share, g * g);
    store_lanes(first_moment + i, m, lanes);
    store_lanes(second_moment + i, v, lanes);
    store_lanes(parameters + i, parameter - rule.step_size * m / (__builtin_elementwise_sqrt(v) + rule.epsilon), lanes);
}

static void adam_update(
    int64_t count, ck_gradient_terms terms, ck_adam rule, const float *gradients, float *first_moment,
    float *second_moment, float *parameters) {
    FOR_LANES(count, adam_lanes, terms, rule, gradients, first_moment, second_moment, parameters);
}

ALWAYS_INLINE void rmsprop_lanes(
    int64_t i, int64_t lanes, ck_gradient_terms terms, ck_rmsprop rule, const float *gradients, float *mean_square,
    float *parameters) {
    const vector parameter = load_lanes(parameters + i, lanes);
    const vector g = gradient_of(terms, load_lanes(gradients + i, lanes), parameter);
    const vector v = moving_mean(load_lanes(mean_square + i, lanes), rule.share, g * g);
    store_lanes(mean_square + i, v, lanes);
    store_lanes(
        parameters + i, parameter - rule.learning_rate * g / (__builtin_elementwise_sqrt(v) + rule.epsilon), lanes);
}

static void rmsprop_update(
    int64_t count, ck_gradient_terms terms, ck_rmsprop rule, const float *gradients, float *mean_square,
    float *parameters) {
    FOR_LANES(count, rmsprop_lanes, terms, rule, gradients, mean_square, parameters);
}

static void optimizer_update(
    int64_t count, ck_gradient_terms terms, const ck_update_rule *rule, const float *gradients, ck_slots slots,
    float *parameters) {
    switch (rule->kind) {
    case CK_SGD: sgd_update(count, terms, rule->settings.sgd, gradients, slots.first, parameters); break;
    case CK_ADAM:
        adam_update(count, terms, rule->settings.adam, gradients, slots.first, slots.second, parameters);
        break;
    case CK_RMSPROP: rmsprop_update(count, terms, rule->settings.rmsprop, gradients, slots.first, parameters); break;
    }
}
