// No include guard: part of dispatch/isa_body.h, once per instruction set.

ALWAYS_INLINE vector gradient_of(ck_gradient_terms terms, vector gradient, vector parameter) {
    return terms.gradient_scale * gradient + terms.weight_decay * parameter;
}

typedef enum sgd_kind { SGD_PLAIN, SGD_MOMENTUM, SGD_NESTEROV } sgd_kind;

ALWAYS_INLINE void sgd_body(
    int64_t count, ck_gradient_terms terms, float learning_rate, float momentum, sgd_kind kind, const float *gradients,
    float *velocity, float *parameters) {
#define BODY(i, lanes)                                                                                         \
    do {                                                                                                       \
        const vector parameter = load_lanes(parameters + (i), lanes);                                          \
        const vector step = learning_rate * gradient_of(terms, load_lanes(gradients + (i), lanes), parameter); \
        vector change = -step;                                                                                 \
        if (kind != SGD_PLAIN) {                                                                               \
            change = momentum * load_lanes(velocity + (i), lanes) - step;                                      \
            store_lanes(velocity + (i), change, lanes);                                                        \
        }                                                                                                      \
        if (kind == SGD_NESTEROV) change = momentum * change - step;                                           \
        store_lanes(parameters + (i), parameter + change, lanes);                                              \
    } while (0)
    FOR_LANES(count, BODY);
#undef BODY
}

static void optimizer_sgd(
    int64_t count, ck_gradient_terms terms, float learning_rate, float momentum, bool nesterov, const float *gradients,
    float *velocity, float *parameters) {
    if (velocity == NULL) sgd_body(count, terms, learning_rate, momentum, SGD_PLAIN, gradients, velocity, parameters);
    else if (nesterov) sgd_body(count, terms, learning_rate, momentum, SGD_NESTEROV, gradients, velocity, parameters);
    else sgd_body(count, terms, learning_rate, momentum, SGD_MOMENTUM, gradients, velocity, parameters);
}

static void optimizer_adam(
    int64_t count, ck_gradient_terms terms, float step_size, float beta1, float beta2, float epsilon,
    const float *gradients, float *first_moment, float *second_moment, float *parameters) {
    const float rest1 = 1 - beta1, rest2 = 1 - beta2;
#define BODY(i, lanes)                                                                                               \
    do {                                                                                                             \
        const vector parameter = load_lanes(parameters + (i), lanes);                                                \
        const vector g = gradient_of(terms, load_lanes(gradients + (i), lanes), parameter);                          \
        const vector m = beta1 * load_lanes(first_moment + (i), lanes) + rest1 * g;                                  \
        const vector v = beta2 * load_lanes(second_moment + (i), lanes) + rest2 * (g * g);                           \
        store_lanes(first_moment + (i), m, lanes);                                                                   \
        store_lanes(second_moment + (i), v, lanes);                                                                  \
        store_lanes(parameters + (i), parameter - step_size * m / (__builtin_elementwise_sqrt(v) + epsilon), lanes); \
    } while (0)
    FOR_LANES(count, BODY);
#undef BODY
}

static void optimizer_rmsprop(
    int64_t count, ck_gradient_terms terms, float learning_rate, float rho, float epsilon, const float *gradients,
    float *mean_square, float *parameters) {
    const float rest = 1 - rho;
#define BODY(i, lanes)                                                                                           \
    do {                                                                                                         \
        const vector parameter = load_lanes(parameters + (i), lanes);                                            \
        const vector g = gradient_of(terms, load_lanes(gradients + (i), lanes), parameter);                      \
        const vector v = rho * load_lanes(mean_square + (i), lanes) + rest * (g * g);                            \
        store_lanes(mean_square + (i), v, lanes);                                                                \
        store_lanes(                                                                                             \
            parameters + (i), parameter - learning_rate * g / (__builtin_elementwise_sqrt(v) + epsilon), lanes); \
    } while (0)
    FOR_LANES(count, BODY);
#undef BODY
}
