import CKernels

/// RMSProp (Tieleman and Hinton 2012): v = ρ·v + (1 − ρ)·g²; p −= η·g/(√v + ε).
public struct RMSProp: Optimizer {
    public let learningRate: Double
    /// The share of the mean of squared gradients that a step keeps.
    public let rho: Double
    /// The number added to the root of this mean. With 0, a parameter becomes NaN if its gradient is 0 in the first
    /// step.
    public let epsilon: Double
    public let decay: Double
    /// L2 regularisation: weightDecay·p is added to the gradient, as PyTorch does.
    public let weightDecay: Double

    /// - Throws: ``OptimizerError`` for a negative or infinite setting, or a rho of 1 or more.
    public init(
        learningRate: Double = 1e-3, rho: Double = 0.9, epsilon: Double = 1e-8, decay: Double = 0,
        weightDecay: Double = 0
    ) throws(OptimizerError) {
        try OptimizerError.check("learning rate", learningRate, in: 0..<Double.infinity)
        try OptimizerError.check("rho", rho, in: 0..<1)
        try OptimizerError.check("epsilon", epsilon, in: 0..<Double.infinity)
        try OptimizerError.check("decay", decay, in: 0..<Double.infinity)
        try OptimizerError.check("weight decay", weightDecay, in: 0..<Double.infinity)
        self.learningRate = learningRate
        self.rho = rho
        self.epsilon = epsilon
        self.decay = decay
        self.weightDecay = weightDecay
    }

    public var slotNames: [String] { ["mean_square"] }

    public var isElementwise: Bool { true }

    public func update(_ update: ParameterUpdate) {
        let rule = ck_rmsprop(
            learning_rate: Float(update.learningRate), share: Float(1 - rho), epsilon: Float(epsilon))
        update.apply(CK_RMSPROP, ck_rule_settings(rmsprop: rule), slotCount: 1, weightDecay: weightDecay)
    }
}
