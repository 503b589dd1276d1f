/// Batch normalisation over all but the last dimension, which may add another value to its output. Inputs: x, and the addend if there is
/// one; parameters: gamma, beta; states: running mean, running variance.
struct BatchNormOperation: Operation {
    private let kernel: BatchNormKernel
    private let positions: Int
    private let momentum: Float
    private let unbiasedRunningVariance: Bool
    private var addend: Addend?

    init(shape: Shape, momentum: Float, epsilon: Float, unbiasedRunningVariance: Bool) {
        kernel = BatchNormKernel(channels: shape[-1], epsilon: epsilon)
        positions = shape.elementCount / shape[-1]
        self.momentum = momentum
        self.unbiasedRunningVariance = unbiasedRunningVariance
    }

    var label: String { "BatchNorm\(addend?.label ?? "")" }

    /// The batch's mean and inverse deviation.
    func savedBytes(batch: Int) -> Int { 2 * kernel.channels * MemoryLayout<Float>.stride }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(rows: batch * positions) }

    private func vectors(_ context: OperationContext) -> BatchNormKernel.Vectors {
        .init(
            gamma: context.parameter(0), beta: context.parameter(1), runningMean: context.state(0),
            runningVariance: context.state(1))
    }

    private func statistics(
        _ context: OperationContext
    ) -> (mean: UnsafeMutablePointer<Float>, inverseDeviation: UnsafeMutablePointer<Float>) {
        let saved = context.saved.assumingMemoryBound(to: Float.self)
        return (saved, saved + kernel.channels)
    }

    func forward(_ context: OperationContext) {
        let rows = context.batch * positions
        let addend = addend?.values(context, input: 1)
        if context.isTraining {
            let statistics = statistics(context)
            kernel.forwardTraining(
                rows: rows, x: context.input(), vectors: vectors(context), momentum: momentum,
                unbiasedRunningVariance: unbiasedRunningVariance, mean: statistics.mean,
                inverseDeviation: statistics.inverseDeviation, addend: addend, y: context.output,
                scratch: context.scratch)
        } else {
            kernel.forwardInference(
                rows: rows, x: context.input(), vectors: vectors(context), addend: addend,
                y: context.output)
        }
    }

    func backward(_ context: OperationContext) {
        let statistics = statistics(context)
        kernel.backward(
            rows: context.batch * positions, x: context.input(), gamma: context.parameter(0), mean: statistics.mean,
            inverseDeviation: statistics.inverseDeviation, yGradient: context.outputGradient,
            xGradient: context.inputGradient(), accumulate: context.accumulatesInputGradient(),
            gammaGradient: context.parameterGradient(0), betaGradient: context.parameterGradient(1),
            scratch: context.scratch)
        addend?.backward(context, input: 1)
    }
}

extension BatchNormOperation: AddendTaking {
    func adding(_ addend: Addend) -> (any Operation)? {
        guard self.addend == nil else { return nil }
        var result = self
        result.addend = addend
        return result
    }
}
