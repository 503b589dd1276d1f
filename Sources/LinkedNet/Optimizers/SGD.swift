import CKernels

/// Stochastic gradient descent, with Keras' momentum: v = μ·v − η·g; p += v, or with Nesterov p += μ·v − η·g
/// (Sutskever et al. 2013).
public struct SGD: Optimizer {
    public let learningRate: Double
    /// μ: the share of the velocity that a step keeps.
    public let momentum: Double
    /// True if the step looks ahead along the velocity.
    public let nesterov: Bool
    public let decay: Double
    /// L2 regularisation: weightDecay·p is added to the gradient, as PyTorch does.
    public let weightDecay: Double

    /// - Throws: ``OptimizerError`` for a negative or infinite setting, a momentum of 1 or more, or Nesterov without
    ///   momentum.
    public init(
        learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false, decay: Double = 0,
        weightDecay: Double = 0
    ) throws(OptimizerError) {
        try OptimizerError.check("learning rate", learningRate, in: 0..<Double.infinity)
        try OptimizerError.check("momentum", momentum, in: 0..<1)
        try OptimizerError.check("decay", decay, in: 0..<Double.infinity)
        try OptimizerError.check("weight decay", weightDecay, in: 0..<Double.infinity)
        guard momentum > 0 || !nesterov else {
            throw OptimizerError(setting: "momentum", expected: "more than 0 with Nesterov", found: "0")
        }
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.decay = decay
        self.weightDecay = weightDecay
    }

    public var slotNames: [String] { momentum > 0 ? ["velocity"] : [] }

    public var isElementwise: Bool { true }

    public func update(_ update: ParameterUpdate) {
        let rule = ck_sgd(
            learning_rate: Float(update.learningRate), momentum: Float(momentum), nesterov: nesterov)
        update.apply(CK_SGD, ck_rule_settings(sgd: rule), slotCount: momentum > 0 ? 1 : 0, weightDecay: weightDecay)
    }
}
