/// Batch normalisation over all but the last dimension, which may add another value to its output. Inputs: x, and the
/// addend, if any; parameters: gamma, beta; states: running mean, running variance.
struct BatchNormOperation: NodeOperation {
    private let kernel: BatchNormKernel
    private let positions: Int
    private let momentum: Float
    private let unbiasedRunningVariance: Bool
    private(set) var addend: Addend?
    private var postOps = PostOps()
    /// The kernel of the 1×1 convolution that gives x, if the convolution computes x's moments and forms x's gradient.
    var source: PointwiseKernel?

    init(shape: Shape, momentum: Float, epsilon: Float, unbiasedRunningVariance: Bool) {
        kernel = BatchNormKernel(channels: shape[-1], epsilon: epsilon)
        positions = shape.elementCount / shape[-1]
        self.momentum = momentum
        self.unbiasedRunningVariance = unbiasedRunningVariance
    }

    var channels: Int { kernel.channels }

    var label: String { "BatchNorm\(postOps.label)" }

    var identity: String {
        "\(label), epsilon \(kernel.epsilon), momentum \(momentum)"
            + (unbiasedRunningVariance ? ", unbiased running variance" : "")
    }

    var isNormalization: Bool { true }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(rows: batch * positions) }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let buffers = NormalizationBuffers(of: step.node)
            let x = step.readInput(), addend = addend.map { _ in step.readInput(1) }, y = step.writeOutput()
            let gamma = step.readParameter(0), beta = step.readParameter(1)
            let runningMean = step.updateState(0), runningVariance = step.updateState(1)
            let statistics = buffers.writeStatistics(&step, channels: kernel.channels)
            let moments = source.map { (kernel: $0, values: buffers.readMoments(&step)) }
            return { [kernel, positions, momentum, unbiasedRunningVariance, postOps] call in
                let rows = call.batch * positions
                let vectors = BatchNormKernel.Vectors(
                    gamma: call[gamma], beta: call[beta], runningMean: call[runningMean],
                    runningVariance: call[runningVariance])
                guard call.isTraining else {
                    return kernel.forwardInference(
                        rows: rows, x: call[x], vectors: vectors, postOps: postOps, addend: call[ifAny: addend],
                        y: call[y])
                }
                kernel.forwardTraining(
                    rows: rows, x: call[x],
                    moments: moments.map {
                        $0.kernel.moments(batch: call.batch, values: UnsafeMutablePointer(mutating: call[$0.values]))
                    },
                    vectors: vectors, momentum: momentum, unbiasedRunningVariance: unbiasedRunningVariance,
                    mean: call[statistics], inverseDeviation: call[statistics] + kernel.channels, postOps: postOps,
                    addend: call[ifAny: addend], y: call[y], scratch: call.scratch)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        addend?.addBackward(to: &steps, input: 1)
        if source == nil { addGradients(to: &steps) } else { addTerms(to: &steps) }
    }

    /// All gradients.
    private func addGradients(to steps: inout NodeSteps) {
        steps.add { step in
            let x = step.readInput(), gamma = step.readParameter(0), yGradient = step.readOutputGradient()
            let statistics = NormalizationBuffers(of: step.node).readStatistics(&step)
            let xGradient = step.writeInputGradient()
            let gammaGradient = step.writeParameterGradient(0), betaGradient = step.writeParameterGradient(1)
            return { [kernel, positions] call in
                kernel.backward(
                    rows: call.batch * positions, x: call[x], gamma: call[gamma], mean: call[statistics],
                    inverseDeviation: call[statistics] + kernel.channels, yGradient: call[yGradient],
                    xGradient: call[ifAny: xGradient], accumulate: xGradient.accumulates,
                    gammaGradient: call[gammaGradient], betaGradient: call[betaGradient], scratch: call.scratch)
            }
        }
    }

    /// The gradients of gamma and beta, and the terms from which the convolution that gives x forms x's gradient.
    private func addTerms(to steps: inout NodeSteps) {
        steps.add("\(label) terms") { step in
            let buffers = NormalizationBuffers(of: step.node)
            let x = step.readInput(), gamma = step.readParameter(0), yGradient = step.readOutputGradient()
            let statistics = buffers.readStatistics(&step)
            let terms = buffers.writeTerms(&step, channels: kernel.channels)
            let gammaGradient = step.writeParameterGradient(0), betaGradient = step.writeParameterGradient(1)
            return { [kernel, positions] call in
                kernel.backwardTerms(
                    rows: call.batch * positions, x: call[x], gamma: call[gamma], mean: call[statistics],
                    inverseDeviation: call[statistics] + kernel.channels, yGradient: call[yGradient],
                    terms: call[terms], gammaGradient: call[gammaGradient], betaGradient: call[betaGradient],
                    scratch: call.scratch)
            }
        }
    }
}

/// The buffers of a BatchNorm. Where a 1×1 convolution gives x, the convolution's steps use the same buffers.
struct NormalizationBuffers {
    /// The BatchNorm's output, which owns the buffers.
    let output: TensorID

    init(of node: Graph.Node) { output = node.output }

    /// The batch's mean of each channel, then the inverse deviations: [2][channels].
    func writeStatistics(_ step: inout StepBuilder, channels: Int) -> Writable<Float> {
        step.writeSaved("statistics", bytes: 2 * channels * MemoryLayout<Float>.stride, owner: output)
    }

    func readStatistics(_ step: inout StepBuilder) -> Readable<Float> { step.readSaved("statistics", owner: output) }

    /// The terms of ``NormalizationGradient``: [3][channels].
    func writeTerms(_ step: inout StepBuilder, channels: Int) -> Writable<Float> {
        step.writeSaved("terms", bytes: 3 * channels * MemoryLayout<Float>.stride, owner: output)
    }

    func readTerms(_ step: inout StepBuilder) -> Readable<Float> { step.readSaved("terms", owner: output) }

    /// For each part of the rows, the mean of x and the sum of its squared deviations from the mean, of each channel:
    /// `ck_moments`.
    func writeMoments(_ step: inout StepBuilder, bytes: Int) -> Writable<Double> {
        step.writeSaved("moments", bytes: bytes, owner: output)
    }

    func readMoments(_ step: inout StepBuilder) -> Readable<Double> { step.readSaved("moments", owner: output) }
}

extension BatchNormOperation: AddendTaking {
    func adding(_ addend: Addend) -> (any NodeOperation)? {
        guard self.addend == nil else { return nil }
        var result = self
        result.addend = addend
        result.postOps.addActivation(addend.activation)
        return result
    }
}

extension BatchNormOperation: ActivationStoring, ActivationReading {
    func storing(_ activation: FusibleActivation) -> any NodeOperation {
        var result = self
        result.postOps.apply(activation)
        return result
    }

    func activation(ofInput index: Int) -> FusibleActivation? { index == 0 ? .identity : addend?.activation }

    func readingStoredActivation(ofInput index: Int) -> any NodeOperation {
        var result = self
        result.postOps.addAppliedActivation()
        return result
    }
}
