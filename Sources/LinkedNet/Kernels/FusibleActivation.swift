import CKernels

/// The sharing of PReLU's learned slopes.
public enum SlopeSharing: Sendable, Hashable {
    /// One slope per channel, as in PyTorch.
    case perChannel
    /// One slope per neuron: per row, column and channel, as is Keras' default.
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

    /// The kernels compute at most this many members in one call. Longer linkages are computed member by member,
    /// unfused.
    static let maximumMemberCount = Int(CK_MAX_MEMBERS)

    static let identity = FusibleActivation(members: [Member(function: .identity)])

    /// The number of members with learned slopes.
    var slopedMemberCount: Int { members.count { $0.function == .prelu } }

    /// The number of slopes for a pre-activation of `positions` × `channels`.
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
        let (code, parameter) = function.code
        return ck_member(
            function: code, input_scale: inputScale, output_scale: outputScale, parameter: parameter)
    }
}
