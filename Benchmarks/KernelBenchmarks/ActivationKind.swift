import CKernels

/// What a layer reads: z itself, max(z, 0), or concat(max(z, 0), max(−z, 0)).
enum ActivationKind {
    case none, relu, linked

    var members: Int { self == .linked ? 2 : 1 }

    var descriptor: ck_activation {
        var activation = ck_activation()
        let function = self == .none ? CK_IDENTITY : CK_RELU
        activation.member_count = Int32(members)
        activation.members.0 = ck_member(function: function, input_scale: 1, output_scale: 1, parameter: 0)
        activation.members.1 = ck_member(function: function, input_scale: -1, output_scale: 1, parameter: 0)
        return activation
    }
}
