import CKernels

#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// Adam (Kingma and Ba 2015) as in Keras: p −= η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε), with t counted from 1.
public struct Adam: Optimizer {
    public let learningRate: Double
    /// The share of the mean of gradients that a step keeps.
    public let beta1: Double
    /// The share of the mean of squared gradients that a step keeps.
    public let beta2: Double
    /// The number added to the divisor; see ``epsilonPlacement``. With 0, a parameter becomes NaN if its gradient is 0
    /// in the first step.
    public let epsilon: Double
    public let decay: Double
    /// L2 regularisation: weightDecay·p is added to the gradient, as PyTorch does.
    public let weightDecay: Double
    /// The √v to which epsilon is added.
    public let epsilonPlacement: EpsilonPlacement

    /// The √v to which epsilon is added.
    public enum EpsilonPlacement: Sendable, Hashable {
        /// The plain √v (Keras; "epsilon hat" in the paper).
        case beforeBiasCorrection
        /// The bias-corrected √v̂ (PyTorch, and the paper's Algorithm 1): m̂/(√v̂ + ε).
        case afterBiasCorrection
    }

    /// - Throws: ``OptimizerError`` for a negative or infinite setting, or a beta of 1 or more.
    public init(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        decay: Double = 0, weightDecay: Double = 0, epsilonPlacement: EpsilonPlacement = .beforeBiasCorrection
    ) throws(OptimizerError) {
        try OptimizerError.check("learning rate", learningRate, in: 0..<Double.infinity)
        try OptimizerError.check("beta 1", beta1, in: 0..<1)
        try OptimizerError.check("beta 2", beta2, in: 0..<1)
        try OptimizerError.check("epsilon", epsilon, in: 0..<Double.infinity)
        try OptimizerError.check("decay", decay, in: 0..<Double.infinity)
        try OptimizerError.check("weight decay", weightDecay, in: 0..<Double.infinity)
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.decay = decay
        self.weightDecay = weightDecay
        self.epsilonPlacement = epsilonPlacement
    }

    public var slotNames: [String] { ["first_moment", "second_moment"] }

    public var isElementwise: Bool { true }

    public func update(_ update: ParameterUpdate) {
        let t = Double(update.step + 1)
        let correction1 = 1 - pow(beta1, t)
        let correction2 = (1 - pow(beta2, t)).squareRoot()
        // m̂/(√v̂ + ε) = correction2/correction1 · m/(√v + ε·correction2)
        let epsilon = epsilonPlacement == .beforeBiasCorrection ? epsilon : epsilon * correction2
        let rule = ck_adam(
            step_size: Float(update.learningRate * correction2 / correction1), first_share: Float(1 - beta1),
            second_share: Float(1 - beta2), epsilon: Float(epsilon))
        update.apply(CK_ADAM, ck_rule_settings(adam: rule), slotCount: 2, weightDecay: weightDecay)
    }
}
