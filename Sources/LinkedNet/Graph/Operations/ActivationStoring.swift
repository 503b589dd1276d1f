/// An operation that can put its output through an activation before it stores it.
protocol ActivationStoring: NodeOperation {
    /// The operation that stores `activation`, which has one member without slopes, of what this one gives.
    func storing(_ activation: FusibleActivation) -> any NodeOperation
}

/// An operation that forms activations of its inputs as it reads them.
protocol ActivationReading: NodeOperation {
    /// What it forms of input `index`; `nil` if that has learned slopes.
    func activation(ofInput index: Int) -> FusibleActivation?

    /// The operation where input `index` holds its activation, which is idempotent, already.
    func readingStoredActivation(ofInput index: Int) -> any NodeOperation
}

extension ActivationReading {
    /// Applied twice, it is what it is applied once.
    func readingStoredActivation(ofInput index: Int) -> any NodeOperation { self }
}
