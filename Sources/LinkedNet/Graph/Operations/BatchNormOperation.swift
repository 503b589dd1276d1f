/// Batch normalisation over all but the last dimension, which may add another value to its output. Inputs: x, and the
/// addend if there is one; parameters: gamma, beta; states: running mean, running variance.
struct BatchNormOperation: Operation {
    private let kernel: BatchNormKernel
    private let positions: Int
    private let momentum: Float
    private let unbiasedRunningVariance: Bool
    private var addend: Addend?
    private var postOps = PostOps()
    /// The kernel of the operation that gives x, if that finds x's moments and forms x's gradient itself.
    private var source: PointwiseKernel?

    init(shape: Shape, momentum: Float, epsilon: Float, unbiasedRunningVariance: Bool) {
        kernel = BatchNormKernel(channels: shape[-1], epsilon: epsilon)
        positions = shape.elementCount / shape[-1]
        self.momentum = momentum
        self.unbiasedRunningVariance = unbiasedRunningVariance
    }

    var label: String { "BatchNorm\(postOps.label)" }

    /// The batch's mean and inverse deviation, then the terms of x's gradient, then x's moments if another operation
    /// finds them.
    func savedBytes(batch: Int) -> Int {
        Self.momentsOffset(channels: kernel.channels) + (source?.momentsBytes(batch: batch) ?? 0)
    }

    /// An even number of vectors, so that doubles follow aligned.
    private static func momentsOffset(channels: Int) -> Int { 6 * channels * MemoryLayout<Float>.stride }

    /// Where the operation that gives x leaves its moments.
    ///
    /// - Parameter statistics: what the operation saves.
    static func inputMoments(_ statistics: UnsafeMutableRawPointer, channels: Int) -> UnsafeMutablePointer<Double> {
        (statistics + momentsOffset(channels: channels)).assumingMemoryBound(to: Double.self)
    }

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
        let addend = addend.map { _ in context.input(1) }
        if context.isTraining {
            let statistics = statistics(context)
            let moments = source.map { source in
                source.moments(
                    batch: context.batch, values: Self.inputMoments(context.saved, channels: kernel.channels))
            }
            kernel.forwardTraining(
                rows: rows, x: context.input(), moments: moments, vectors: vectors(context), momentum: momentum,
                unbiasedRunningVariance: unbiasedRunningVariance, mean: statistics.mean,
                inverseDeviation: statistics.inverseDeviation, postOps: postOps, addend: addend, y: context.output,
                scratch: context.scratch)
        } else {
            kernel.forwardInference(
                rows: rows, x: context.input(), vectors: vectors(context), postOps: postOps, addend: addend,
                y: context.output)
        }
    }

    func backward(_ context: OperationContext) {
        let statistics = statistics(context)
        addend?.backward(context, input: 1)
        guard source == nil else {
            return kernel.backwardTerms(
                rows: context.batch * positions, x: context.input(), gamma: context.parameter(0), mean: statistics.mean,
                inverseDeviation: statistics.inverseDeviation, yGradient: context.outputGradient,
                terms: statistics.mean + 2 * kernel.channels, gammaGradient: context.parameterGradient(0),
                betaGradient: context.parameterGradient(1), scratch: context.scratch)
        }
        kernel.backward(
            rows: context.batch * positions, x: context.input(), gamma: context.parameter(0), mean: statistics.mean,
            inverseDeviation: statistics.inverseDeviation, yGradient: context.outputGradient,
            xGradient: context.inputGradient(), accumulate: context.accumulatesInputGradient(),
            gammaGradient: context.parameterGradient(0), betaGradient: context.parameterGradient(1),
            scratch: context.scratch)
    }

    /// How x's gradient follows from the output's, after the backward pass of an operation that leaves it to another.
    ///
    /// - Parameter statistics: what the operation saved.
    static func inputGradient(
        x: UnsafePointer<Float>, statistics: UnsafeRawPointer, channels: Int
    ) -> NormalizationGradient {
        let saved = statistics.assumingMemoryBound(to: Float.self)
        return NormalizationGradient(x: x, mean: saved, terms: saved + 2 * channels, channels: channels)
    }

    /// The operation where the 1×1 convolution that gives x finds x's moments, and forms x's gradient itself.
    func sharing(with source: PointwiseOperation) -> BatchNormOperation {
        var result = self
        result.source = source.kernel
        return result
    }
}

extension BatchNormOperation: AddendTaking {
    func adding(_ addend: Addend) -> (any Operation)? {
        guard self.addend == nil else { return nil }
        var result = self
        result.addend = addend
        result.postOps.addActivation(addend.activation)
        return result
    }
}

extension BatchNormOperation: ActivationStoring, ActivationReading {
    func storing(_ activation: FusibleActivation) -> any Operation {
        var result = self
        result.postOps.apply(activation)
        return result
    }

    func activation(ofInput index: Int) -> FusibleActivation? { index == 0 ? .identity : addend?.activation }

    func readingStoredActivation(ofInput index: Int) -> any Operation {
        var result = self
        result.postOps.addAppliedActivation()
        return result
    }
}
