import CKernels

/// The updates of the optimizers over flat arrays of `count` parameters. Formulas: `ck_optimizer.h`.
enum OptimizerKernels {
    static func sgd(
        count: Int, gradientScale: Float, weightDecay: Float, learningRate: Float, momentum: Float, nesterov: Bool,
        gradients: UnsafePointer<Float>, velocity: UnsafeMutablePointer<Float>?,
        parameters: UnsafeMutablePointer<Float>
    ) {
        ck_sgd(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), learningRate,
            momentum, nesterov, gradients, velocity, parameters)
    }

    static func adam(
        count: Int, gradientScale: Float, weightDecay: Float, stepSize: Float, beta1: Float, beta2: Float,
        epsilon: Float, gradients: UnsafePointer<Float>, firstMoment: UnsafeMutablePointer<Float>,
        secondMoment: UnsafeMutablePointer<Float>, parameters: UnsafeMutablePointer<Float>
    ) {
        ck_adam(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), stepSize, beta1,
            beta2, epsilon, gradients, firstMoment, secondMoment, parameters)
    }

    static func rmsProp(
        count: Int, gradientScale: Float, weightDecay: Float, learningRate: Float, rho: Float, epsilon: Float,
        gradients: UnsafePointer<Float>, meanSquare: UnsafeMutablePointer<Float>,
        parameters: UnsafeMutablePointer<Float>
    ) {
        ck_rmsprop(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: weightDecay), learningRate,
            rho, epsilon, gradients, meanSquare, parameters)
    }
}
