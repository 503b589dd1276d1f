/// A 1×1 convolution, which may add another value to its output. Inputs: z, and the addend if there is one. Parameters:
/// weights, then a bias if there is one.
struct PointwiseOperation: Operation {
    private(set) var kernel: PointwiseKernel
    let input: FusedInput
    let usesBias: Bool
    private let strideLabel: String
    private var addend: Addend?
    private var postOps = PostOps()
    /// Set if the output's only reader is a BatchNorm, which takes the output's moments from this operation and leaves
    /// its input's gradient to it.
    private(set) var isNormalized = false

    /// - Throws: ``ShapeError`` naming `name`, or gives `nil` where ``WeightedOperation`` has to do it.
    init?(convolving value: Value, filters: Int, window: Window2D, usesBias: Bool, name: String) throws(ShapeError) {
        guard value.shape.rank == 3, filters >= 1 else { return nil }
        input = FusedInput(value, plainChannels: value.shape[2])
        guard
            let kernel = try PointwiseKernel(
                height: value.shape[0], width: value.shape[1], channels: input.channels, outputChannels: filters,
                window: window, activation: input.function, subject: name)
        else { return nil }
        self.kernel = kernel
        self.usesBias = usesBias
        strideLabel = window.strideLabel
    }

    var label: String { "Conv2D 1×1\(strideLabel)\(input.label)\(postOps.label)" }
    var algorithm: String? { "pointwise" }
    var treatsSamplesAlone: Bool { true }
    var backwardReadsOutput: Bool { isNormalized }

    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {
        try kernel.prepare(batch: calls.batch, isAlone: calls.isAlone, subject: name)
    }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func forward(_ context: OperationContext) {
        kernel.forward(
            batch: context.batch, z: context.input(), weights: context.parameter(0),
            bias: usesBias ? context.parameter(1) : nil, postOps: postOps, addend: addend.map { _ in context.input(1) },
            y: context.output,
            moments: context.isTraining
                ? context.normalizationStatistics.map {
                    BatchNormOperation.inputMoments($0, channels: kernel.outputShape[-1])
                } : nil,
            scratch: context.scratch)
    }

    func backward(_ context: OperationContext) {
        let normalization = context.normalizationStatistics.map { statistics in
            BatchNormOperation.inputGradient(
                x: context.output, statistics: statistics, channels: kernel.outputShape[-1])
        }
        kernel.backward(
            batch: context.batch, z: context.input(), weights: context.parameter(0), yGradient: context.outputGradient,
            normalization: normalization, activationGradient: context.activationGradient,
            zGradient: context.inputGradient(),
            accumulate: context.accumulatesInputGradient(), weightsGradient: context.parameterGradient(0),
            biasGradient: usesBias ? context.parameterGradient(1) : nil, scratch: context.scratch)
        addend?.backward(context, input: 1)
    }
}

extension PointwiseOperation {
    var addsShortcut: Bool { addend != nil }

    /// The operation where a BatchNorm leaves the gradient of what it read to it.
    var normalized: PointwiseOperation {
        var result = self
        result.isNormalized = true
        return result
    }
}

extension PointwiseOperation: AddendTaking {
    func adding(_ addend: Addend) -> (any Operation)? {
        guard self.addend == nil else { return nil }
        var result = self
        result.addend = addend
        result.postOps.addActivation(addend.activation)
        return result
    }
}

extension PointwiseOperation: ActivationStoring, ActivationReading {
    func storing(_ activation: FusibleActivation) -> any Operation {
        var result = self
        result.postOps.apply(activation)
        return result
    }

    func activation(ofInput index: Int) -> FusibleActivation? { index == 0 ? input.function : addend?.activation }

    func readingStoredActivation(ofInput index: Int) -> any Operation {
        var result = self
        if index == 0 {
            result.kernel = kernel.readingStoredActivation
        } else {
            result.postOps.addAppliedActivation()
        }
        return result
    }
}
