/// Knows which gradients have been written while the steps of a backward pass are made, in their order.
final class GradientLedger {
    /// A gradient that a step writes into memory of its own, because another step has already taken the gradient's
    /// place.
    struct Share {
        let number: Int
        let target: Buffer
        /// The number for one sample if `isPerSample`, else for all samples.
        let elementCount: Int
        let isPerSample: Bool
    }

    private let tensorNeedsGradient: [Bool]
    private var writtenTensors: Set<TensorID> = []
    private var writtenParameters: Set<ParameterID> = []
    private(set) var shares: [Share] = []

    init(tensorNeedsGradient: [Bool]) { self.tensorNeedsGradient = tensorNeedsGradient }

    func needsGradient(_ tensor: TensorID) -> Bool { tensorNeedsGradient[tensor.index] }

    /// Registers a writer of a tensor's gradient. True if another writer came before.
    func claim(_ tensor: TensorID) -> Bool { !writtenTensors.insert(tensor).inserted }

    /// Registers a writer of a parameter's gradient. Gives the memory to write into if another writer came before.
    func claim(_ parameter: ParameterID, elementCount: Int) -> Share? {
        guard !writtenParameters.insert(parameter).inserted else { return nil }
        return share(.parameterGradient(parameter), elementCount: elementCount, isPerSample: false)
    }

    /// Memory for one more part of a tensor's gradient.
    func share(_ tensor: TensorID, elementCount: Int) -> Share {
        share(.gradient(tensor), elementCount: elementCount, isPerSample: true)
    }

    private func share(_ target: Buffer, elementCount: Int, isPerSample: Bool) -> Share {
        let share = Share(number: shares.count, target: target, elementCount: elementCount, isPerSample: isPerSample)
        shares.append(share)
        return share
    }
}
