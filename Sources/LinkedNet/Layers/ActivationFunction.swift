/// A scalar activation function g(z): a built-in function, or a function of your own.
public struct ActivationFunction: Sendable {
    enum Kind: Sendable {
        case builtIn(ScalarFunction, SlopeSharing)
        case custom(ElementFunction)
    }

    let kind: Kind

    private init(kind: Kind) {
        self.kind = kind
    }

    /// A function that the kernels know.
    public init(_ function: BuiltInFunction) {
        self.init(kind: .builtIn(function.function, function.sharing))
    }

    /// A function of your own, computed in Swift: flexible, and slower than the built-in functions.
    public static func custom(_ function: ElementFunction) -> ActivationFunction {
        ActivationFunction(kind: .custom(function))
    }

    /// A short name.
    public var name: String {
        switch kind {
        case .builtIn(let function, _): function.label
        case .custom(let function): function.name
        }
    }

    /// g′(z) as the kernels have it; PReLU at its initial slope, 0.
    func derivative(_ z: Double) -> Double {
        switch kind {
        case .custom(let function): Double(function.derivative(Float(z)))
        case .builtIn(let function, _): function.derivative(z)
        }
    }
}
