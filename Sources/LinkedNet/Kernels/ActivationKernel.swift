import CKernels

/// The scalar functions that kernels compute themselves, so that a convolution or dense layer can form them as it reads
/// its input.
public enum ScalarFunction: Sendable, Hashable {
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
}

/// How the learned slopes of PReLU are shared.
public enum SlopeSharing: Sendable, Hashable {
    /// One slope per channel, as PyTorch has it.
    case perChannel
    /// One slope per neuron: per row, column and channel, as Keras has it unless told otherwise.
    case perPosition
}

/// An activation that the kernels can fuse: a list of members output_scale·g(input_scale·z), whose outputs lie side by
/// side as channels.
struct FusibleActivation: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var function: ScalarFunction
        var inputScale: Float = 1
        var outputScale: Float = 1
    }

    var members: [Member]
    var slopeSharing: SlopeSharing = .perPosition

    /// More members than this are computed one by one, unfused.
    static let maximumMemberCount = Int(CK_MAX_MEMBERS)

    static let identity = FusibleActivation(members: [Member(function: .identity)])

    /// How many members have learned slopes.
    var slopedMemberCount: Int { members.count { $0.function == .prelu } }

    /// How many slopes the activation of a pre-activation of `positions` × `channels` has.
    func slopeCount(positions: Int, channels: Int) -> Int {
        slopedMemberCount * channels * (slopeSharing == .perPosition ? positions : 1)
    }

    var descriptor: ck_activation {
        var result = ck_activation()
        result.member_count = Int32(members.count)
        result.slope_sharing = slopeSharing == .perChannel ? CK_SLOPES_PER_CHANNEL : CK_SLOPES_PER_POSITION
        withUnsafeMutableBytes(of: &result.members) { bytes in
            let slots = bytes.bindMemory(to: ck_member.self)
            for (index, member) in members.prefix(Self.maximumMemberCount).enumerated() {
                slots[index] = member.descriptor
            }
        }
        return result
    }
}

extension FusibleActivation.Member {
    fileprivate var descriptor: ck_member {
        let (function, parameter): (ck_function, Float) =
            switch function {
            case .identity: (CK_IDENTITY, 0)
            case .relu: (CK_RELU, 0)
            case .leakyReLU(let slope): (CK_LEAKY_RELU, slope)
            case .prelu: (CK_PRELU, 0)
            case .elu(let alpha): (CK_ELU, alpha)
            case .selu: (CK_SELU, 0)
            case .swish: (CK_SWISH, 0)
            }
        return ck_member(
            function: function, input_scale: inputScale, output_scale: outputScale, parameter: parameter)
    }
}

/// A stand-alone activation of z [batch][positions][channels], for consumers that can't fuse it.
struct ActivationKernel: Sendable {
    private var shape: ck_activation_shape

    /// - Throws: ``ShapeError`` if the kernels refuse the activation (no member, too many, or a scale that isn't
    ///   finite).
    init(_ activation: FusibleActivation, positions: Int, channels: Int, subject: String) throws(ShapeError) {
        var descriptor = activation.descriptor
        guard ck_activation_check(&descriptor) else {
            throw ShapeError(
                subject: subject,
                expected: "1 to \(FusibleActivation.maximumMemberCount) members with finite scales and parameters",
                found: "\(activation.members)")
        }
        shape = ck_activation_shape(
            batch: 1, positions: Int64(positions), channels: Int64(channels), activation: descriptor)
    }

    private func shape(batch: Int) -> ck_activation_shape {
        var result = shape
        result.batch = Int64(batch)
        return result
    }

    func forward(batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>) {
        var shape = shape(batch: batch)
        ck_activation_forward(&shape, z, slopes, out)
    }

    func scratchBytes(batch: Int) -> Int {
        var shape = shape(batch: batch)
        return ck_activation_backward_scratch(&shape)
    }

    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, outGradient: UnsafePointer<Float>,
        zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, slopesGradient: UnsafeMutablePointer<Float>?,
        scratch: UnsafeMutableRawPointer
    ) {
        var shape = shape(batch: batch)
        ck_activation_backward(&shape, z, slopes, outGradient, zGradient, accumulate, slopesGradient, scratch)
    }
}
