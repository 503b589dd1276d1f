import CKernels

#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// A scalar function g(z) that kernels compute themselves, so that a convolution or a dense layer can form g(z) as the
/// layer reads z. Everything that Swift knows of the function stands here.
enum ScalarFunction: Sendable, Hashable {
    /// z
    case identity
    /// max(z, 0)
    case relu
    /// z for z > 0, slope·z otherwise
    case leakyReLU(slope: Float)
    /// z for z > 0, slope·z otherwise, the slope learned
    case prelu
    /// z for z > 0, alpha·(e^z − 1) otherwise
    case elu(alpha: Float)
    /// λ·z for z > 0, λ·α·(e^z − 1) otherwise (Klambauer et al. 2017)
    case selu
    /// z·sigmoid(z)
    case swish

    /// The function's name in the kernels, and its parameter there.
    var code: (function: ck_function, parameter: Float) {
        switch self {
        case .identity: (CK_IDENTITY, 0)
        case .relu: (CK_RELU, 0)
        case .leakyReLU(let slope): (CK_LEAKY_RELU, slope)
        case .prelu: (CK_PRELU, 0)
        case .elu(let alpha): (CK_ELU, alpha)
        case .selu: (CK_SELU, 0)
        case .swish: (CK_SWISH, 0)
        }
    }

    /// A short name for summaries.
    var label: String {
        switch self {
        case .identity: "identity"
        case .relu: "relu"
        case .leakyReLU(let slope): "leaky relu \(slope)"
        case .prelu: "prelu"
        case .elu(let alpha): alpha == 1 ? "elu" : "elu \(alpha)"
        case .selu: "selu"
        case .swish: "swish"
        }
    }

    /// True if g costs next to nothing, so that a reader may form it several times.
    var isPiecewiseLinear: Bool {
        switch self {
        case .identity, .relu, .leakyReLU, .prelu: true
        case .elu, .selu, .swish: false
        }
    }

    /// g(z), for members that share a linkage with functions computed in Swift; for PReLU, with the initial slope 0.
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
