import CKernels

/// What a kernel does to its result before it stores it: adds the activation of another tensor, then applies an
/// activation, each of one member without slopes.
struct PostOps: Sendable {
    /// The activation of the tensor that is added, if one is.
    private(set) var addendActivation: FusibleActivation?
    /// The activation that is applied, if one is.
    private(set) var activation: FusibleActivation?
    private var addendDescriptor = ck_activation()
    private var descriptor = ck_activation()

    /// Adds `activation` of a tensor that is given at each call.
    mutating func addActivation(_ activation: FusibleActivation) {
        addendActivation = activation
        addendDescriptor = activation.descriptor
    }

    /// The tensor that is added holds its activation already.
    mutating func addAppliedActivation() { addendDescriptor.applied = true }

    /// Applies `activation` to the sum.
    mutating func apply(_ activation: FusibleActivation) {
        self.activation = activation
        descriptor = activation.descriptor
    }

    /// What it adds to a summary's label.
    var label: String {
        let shortcut = addendActivation.map { $0 == .identity ? " + shortcut" : " + \($0.label) of shortcut" } ?? ""
        return shortcut + (activation.map { " → \($0.label)" } ?? "")
    }

    /// For a call that adds the activation of `addend`, if any.
    func bound(to addend: UnsafePointer<Float>?) -> ck_post_ops {
        ck_post_ops(addend: addend, addend_activation: addendDescriptor, activation: descriptor)
    }
}
