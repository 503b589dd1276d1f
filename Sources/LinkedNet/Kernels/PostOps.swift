import CKernels

/// The operations that a kernel applies to its result before storing the result: the sum with an activation of another
/// tensor, then an activation. Each activation has one member without slopes.
struct PostOps: Sendable {
    /// The activation of the tensor that is added, if any.
    private(set) var addendActivation: FusibleActivation?
    /// The activation that is applied, if any.
    private(set) var activation: FusibleActivation?
    private var addendDescriptor = ck_activation()
    private var descriptor = ck_activation()

    /// Adds `activation` of a tensor that is given at each call.
    mutating func addActivation(_ activation: FusibleActivation) {
        addendActivation = activation
        addendDescriptor = activation.descriptor
    }

    /// Declares that the tensor that is added already holds its activation.
    mutating func addAppliedActivation() { addendDescriptor.applied = true }

    /// Applies `activation` to the sum.
    mutating func apply(_ activation: FusibleActivation) {
        self.activation = activation
        descriptor = activation.descriptor
    }

    /// The part of a summary's label.
    var label: String {
        let shortcut = addendActivation.map { $0 == .identity ? " + shortcut" : " + \($0.label) of shortcut" } ?? ""
        return shortcut + (activation.map { " → \($0.label)" } ?? "")
    }

    /// The descriptor for a call that adds the activation of `addend`, if any.
    func bound(to addend: UnsafePointer<Float>?) -> ck_post_ops {
        ck_post_ops(addend: addend, addend_activation: addendDescriptor, activation: descriptor)
    }
}
