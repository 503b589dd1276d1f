import CKernels

/// The updates of the optimizers over flat arrays of `count` parameters. Formulas: `ck_optimizer.h`.
enum OptimizerKernels {
    static func sgd(
        count: Int, gradientScale: Float, weightDecay: Float, learningRate: Float, momentum: Float, nesterov: Bool,
        gradients: UnsafePointer<Float>, velocity: UnsafeMutablePointer<Float>?,
        parameters: UnsafeMutablePointer<Float>
    ) {
        let rule = ck_update_rule(
            kind: CK_SGD,
            settings: ck_rule_settings(
                sgd: ck_sgd(learning_rate: learningRate, momentum: momentum, nesterov: nesterov)))
        ck_update(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), rule, gradients,
            ck_slots(first: velocity, second: nil), parameters)
    }

    static func adam(
        count: Int, gradientScale: Float, weightDecay: Float, stepSize: Float, beta1: Float, beta2: Float,
        epsilon: Float, gradients: UnsafePointer<Float>, firstMoment: UnsafeMutablePointer<Float>,
        secondMoment: UnsafeMutablePointer<Float>, parameters: UnsafeMutablePointer<Float>
    ) {
        let rule = ck_update_rule(
            kind: CK_ADAM,
            settings: ck_rule_settings(
                adam: ck_adam(step_size: stepSize, beta1: beta1, beta2: beta2, epsilon: epsilon)))
        ck_update(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), rule, gradients,
            ck_slots(first: firstMoment, second: secondMoment), parameters)
    }

    static func rmsProp(
        count: Int, gradientScale: Float, weightDecay: Float, learningRate: Float, rho: Float, epsilon: Float,
        gradients: UnsafePointer<Float>, meanSquare: UnsafeMutablePointer<Float>,
        parameters: UnsafeMutablePointer<Float>
    ) {
        let rule = ck_update_rule(
            kind: CK_RMSPROP,
            settings: ck_rule_settings(
                rmsprop: ck_rmsprop(learning_rate: learningRate, rho: rho, epsilon: epsilon)))
        ck_update(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), rule, gradients,
            ck_slots(first: meanSquare, second: nil), parameters)
    }
}
