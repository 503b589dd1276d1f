/// An operation that can apply an activation to its output before the operation stores the output.
protocol ActivationStoring: NodeOperation {
    /// The operation that stores `activation` of this operation's output. `activation` has one member without slopes.
    func storing(_ activation: FusibleActivation) -> any NodeOperation
}

/// An operation that forms activations of its inputs as it reads the inputs.
protocol ActivationReading: NodeOperation {
    /// The activation that the operation forms of input `index`; `nil` if the activation has learned slopes.
    func activation(ofInput index: Int) -> FusibleActivation?

    /// The operation for an input `index` that already holds its activation. The activation is idempotent.
    func readingStoredActivation(ofInput index: Int) -> any NodeOperation
}

extension ActivationReading {
    /// An idempotent activation, applied a second time, changes nothing.
    func readingStoredActivation(ofInput index: Int) -> any NodeOperation { self }
}
