#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// A scalar activation function g(z): a built-in one, or one of your own.
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

    /// ``BuiltInFunction/identity``
    public static let identity = ActivationFunction(.identity)
    /// ``BuiltInFunction/relu``
    public static let relu = ActivationFunction(.relu)
    /// ``BuiltInFunction/selu``
    public static let selu = ActivationFunction(.selu)
    /// ``BuiltInFunction/swish``
    public static let swish = ActivationFunction(.swish)
    /// ``BuiltInFunction/leakyReLU(slope:)``
    public static func leakyReLU(slope: Float = 0.3) -> ActivationFunction { .init(.leakyReLU(slope: slope)) }
    /// ``BuiltInFunction/elu(alpha:)``
    public static func elu(alpha: Float = 1) -> ActivationFunction { .init(.elu(alpha: alpha)) }
    /// ``BuiltInFunction/prelu(_:)``
    public static func prelu(_ sharing: SlopeSharing = .perPosition) -> ActivationFunction { .init(.prelu(sharing)) }

    /// A function of your own, computed in Swift: flexible, and slower than the built-in ones.
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

extension ScalarFunction {
    /// g(z), for members that share a linkage with functions computed in Swift. PReLU at its initial slope, 0.
    func value(_ z: Float) -> Float {
        switch self {
        case .identity: return z
        case .relu, .prelu: return z <= 0 ? 0 : z
        case .leakyReLU(let slope): return z > 0 ? z : slope * z
        case .elu(let alpha): return z > 0 ? z : alpha * expm1(z)
        case .selu: return 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * expm1(z))
        case .swish: return z / (1 + exp(-z))
        }
    }

    /// g′(z); PReLU at its initial slope, 0.
    func derivative(_ z: Double) -> Double {
        switch self {
        case .identity: return 1
        case .relu, .prelu: return z > 0 ? 1 : 0
        case .leakyReLU(let slope): return z > 0 ? 1 : Double(slope)
        case .elu(let alpha): return z > 0 ? 1 : Double(alpha) * exp(z)
        case .selu: return z > 0 ? 1.0507009873554805 : 1.0507009873554805 * 1.6732632423543772 * exp(z)
        case .swish:
            let sigmoid = 1 / (1 + exp(-z))
            return sigmoid * (1 + z * (1 - sigmoid))
        }
    }
}
