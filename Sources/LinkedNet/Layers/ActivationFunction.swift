#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// A scalar activation function g(z).
public struct ActivationFunction: Sendable {
    enum Kind: Sendable {
        case builtIn(ScalarFunction, SlopeSharing)
        case custom(ElementFunction)
    }

    let kind: Kind

    private init(_ function: ScalarFunction, _ sharing: SlopeSharing = .perPosition) {
        kind = .builtIn(function, sharing)
    }

    /// z
    public static let identity = ActivationFunction(.identity)
    /// max(z, 0)
    public static let relu = ActivationFunction(.relu)
    /// λ·z for z > 0, λ·α·(e^z − 1) otherwise, α = 1.6732632423543772, λ = 1.0507009873554805 (Klambauer et al. 2017)
    public static let selu = ActivationFunction(.selu)
    /// z·sigmoid(z) (Ramachandran et al. 2017), PyTorch's SiLU.
    public static let swish = ActivationFunction(.swish)
    /// z for z > 0, slope·z otherwise (Maas et al. 2013). The default slope is Keras'.
    public static func leakyReLU(slope: Float = 0.3) -> ActivationFunction { .init(.leakyReLU(slope: slope)) }
    /// z for z > 0, alpha·(e^z − 1) otherwise (Clevert et al. 2016).
    public static func elu(alpha: Float = 1) -> ActivationFunction { .init(.elu(alpha: alpha)) }
    /// z for z > 0, slope·z otherwise, the slopes learned and zero at first (He et al. 2015).
    public static func prelu(_ sharing: SlopeSharing = .perPosition) -> ActivationFunction { .init(.prelu, sharing) }

    /// A function of your own, computed in Swift: flexible, and slower than the built-in ones.
    public static func custom(_ function: ElementFunction) -> ActivationFunction {
        ActivationFunction(kind: .custom(function))
    }

    private init(kind: Kind) {
        self.kind = kind
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
