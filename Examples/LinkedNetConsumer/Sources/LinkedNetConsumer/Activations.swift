import LinkedNet

extension ActivationFunction {
    /// z / (1 + |z|): a function that LinkedNet doesn't have. Given in Swift, it is computed in Swift.
    static let softSign = ActivationFunction.custom(
        ElementFunction(
            name: "softsign",
            value: { z in z / (1 + abs(z)) },
            derivative: { z in 1 / ((1 + abs(z)) * (1 + abs(z))) }))
}

extension Linkage {
    /// (relu(z), relu(−z), swish(z)): three members of functions that the kernels know, so that a convolution forms them as it reads.
    static func reluBothWaysAndSwish() throws -> Linkage {
        try Linkage([Member(.relu), Member(.relu, inputScale: -1), Member(.swish)])
    }
}
