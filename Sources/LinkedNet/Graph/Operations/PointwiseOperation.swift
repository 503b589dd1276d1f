/// A 1×1 convolution, which may add another value to its output. Inputs: z, and the addend, if any. Parameters:
/// weights, then the bias, if any.
struct PointwiseOperation: NodeOperation {
    private(set) var kernel: PointwiseKernel
    let input: FusedInput
    let usesBias: Bool
    private let window: Window2D
    private(set) var addend: Addend?
    private var postOps = PostOps()
    /// Set if a BatchNorm alone reads the output. This operation then computes the output's moments for the BatchNorm.
    /// In backward, this operation reads the gradient of the BatchNorm's output, and forms the gradient of its own
    /// output.
    var normalizer: NormalizationBuffers?
    /// A tensor whose gradient is a part of the gradient of the first input's activation.
    var takenGradient: TensorID?

    /// - Throws: ``ShapeError`` naming `name`. Gives `nil` where ``WeightedOperation`` has to compute the convolution.
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
        self.window = window
    }

    var label: String { "Conv2D 1×1\(window.strideLabel)\(input.label)\(postOps.label)" }
    var identity: String { "Conv2D \(window.identity)\(input.label)" }
    var algorithm: String? { "pointwise" }
    var isSamplewise: Bool { true }

    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {
        try kernel.prepare(batch: calls.batch, isSingleThreaded: calls.isSingleThreaded, subject: name)
    }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), weights = step.readParameter(0)
            let bias = usesBias ? step.readParameter(1) : nil
            let addend = addend.map { _ in step.readInput(1) }, y = step.writeOutput()
            let moments = normalizer.map { $0.writeMoments(&step, bytes: kernel.momentsBytes(batch: step.batch)) }
            return { [kernel, postOps] call in
                kernel.forward(
                    batch: call.batch, z: call[z], weights: call[weights], bias: call[ifAny: bias], postOps: postOps,
                    addend: call[ifAny: addend], y: call[y], moments: call.isTraining ? moments.map { call[$0] } : nil,
                    scratch: call.scratch)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), weights = step.readParameter(0)
            let yGradient = normalizer.map { step.readGradient(of: $0.output) } ?? step.readOutputGradient()
            let normalization = normalizer.map { normalizer in
                (y: step.readOutput(), statistics: normalizer.readStatistics(&step), terms: normalizer.readTerms(&step))
            }
            let activationGradient = takenGradient.map { step.readGradient(of: $0) }
            let zGradient = step.writeInputGradient(), weightsGradient = step.writeParameterGradient(0)
            let biasGradient = usesBias ? step.writeParameterGradient(1) : nil
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, z: call[z], weights: call[weights], yGradient: call[yGradient],
                    normalization: normalization.map {
                        NormalizationGradient(
                            x: call[$0.y], mean: call[$0.statistics], terms: call[$0.terms],
                            channels: kernel.outputShape[-1])
                    },
                    activationGradient: call[ifAny: activationGradient], zGradient: call[ifAny: zGradient],
                    accumulate: zGradient.accumulates, weightsGradient: call[weightsGradient],
                    biasGradient: call[ifAny: biasGradient], scratch: call.scratch)
            }
        }
        addend?.addBackward(to: &steps, input: 1)
    }
}

extension PointwiseOperation: AddendTaking {
    func adding(_ addend: Addend) -> (any NodeOperation)? {
        guard self.addend == nil else { return nil }
        var result = self
        result.addend = addend
        result.postOps.addActivation(addend.activation)
        return result
    }
}

extension PointwiseOperation: ActivationStoring, ActivationReading {
    func storing(_ activation: FusibleActivation) -> any NodeOperation {
        var result = self
        result.postOps.apply(activation)
        return result
    }

    func activation(ofInput index: Int) -> FusibleActivation? { index == 0 ? input.function : addend?.activation }

    func readingStoredActivation(ofInput index: Int) -> any NodeOperation {
        var result = self
        if index == 0 {
            result.kernel = kernel.readingStoredActivation
        } else {
            result.postOps.addAppliedActivation()
        }
        return result
    }
}
