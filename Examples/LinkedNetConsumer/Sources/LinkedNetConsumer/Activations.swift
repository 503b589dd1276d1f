import Foundation
import LinkedNet

extension ActivationFunction {
    /// log(1 + eᶻ): a function that LinkedNet doesn't have. Given in Swift, it is computed in Swift.
    static let softPlus = ActivationFunction.custom(
        ElementFunction(
            name: "softplus",
            value: { z in max(z, 0) + log1p(exp(-abs(z))) },
            derivative: { z in 1 / (1 + exp(-z)) }))
}

extension Linkage {
    /// (relu(z), relu(−z), swish(z)): three members of functions that the kernels know, so that a convolution forms
    /// them as it reads.
    static func reluBothWaysAndSwish() throws -> Linkage {
        try Linkage([Member(.relu), Member(.relu, inputScale: -1), Member(.swish)])
    }
}
