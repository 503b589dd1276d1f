import CKernels

/// The rules of optimizers with their settings.
extension ck_update_rule {
    static func sgd(_ learningRate: Float, momentum: Float = 0, nesterov: Bool = false) -> Self {
        let settings = ck_sgd(learning_rate: learningRate, momentum: momentum, nesterov: nesterov)
        return Self(kind: CK_SGD, settings: ck_rule_settings(sgd: settings))
    }

    static func adam(_ stepSize: Float, beta1: Float, beta2: Float, epsilon: Float) -> Self {
        let settings = ck_adam(
            step_size: stepSize, first_share: 1 - beta1, second_share: 1 - beta2, epsilon: epsilon)
        return Self(kind: CK_ADAM, settings: ck_rule_settings(adam: settings))
    }

    static func rmsprop(_ learningRate: Float, rho: Float, epsilon: Float) -> Self {
        let settings = ck_rmsprop(learning_rate: learningRate, share: 1 - rho, epsilon: epsilon)
        return Self(kind: CK_RMSPROP, settings: ck_rule_settings(rmsprop: settings))
    }
}
