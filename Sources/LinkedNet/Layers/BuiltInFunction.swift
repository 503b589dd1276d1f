/// A scalar activation function g(z) that the kernels know. Each built-in function, mirrored, meets the linking
/// condition: for z ≠ 0, the gradient of g at z or at −z isn't zero.
public struct BuiltInFunction: Sendable {
    let function: ScalarFunction
    let sharing: SlopeSharing

    private init(_ function: ScalarFunction, _ sharing: SlopeSharing = .perPosition) {
        self.function = function
        self.sharing = sharing
    }

    /// z
    public static let identity = BuiltInFunction(.identity)
    /// max(z, 0)
    public static let relu = BuiltInFunction(.relu)
    /// λ·z for z > 0, λ·α·(e^z − 1) otherwise, α = 1.6732632423543772, λ = 1.0507009873554805 (Klambauer et al. 2017)
    public static let selu = BuiltInFunction(.selu)
    /// z·sigmoid(z) (Ramachandran et al. 2017), PyTorch's SiLU.
    public static let swish = BuiltInFunction(.swish)
    /// z for z > 0, slope·z otherwise (Maas et al. 2013). The default slope is Keras'.
    public static func leakyReLU(slope: Float = 0.3) -> BuiltInFunction { .init(.leakyReLU(slope: slope)) }
    /// z for z > 0, alpha·(e^z − 1) otherwise (Clevert et al. 2016).
    public static func elu(alpha: Float = 1) -> BuiltInFunction { .init(.elu(alpha: alpha)) }
    /// z for z > 0, slope·z otherwise. The slopes are learned, and zero at first (He et al. 2015).
    public static func prelu(_ sharing: SlopeSharing = .perPosition) -> BuiltInFunction { .init(.prelu, sharing) }
}

extension ActivationFunction {
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
}
