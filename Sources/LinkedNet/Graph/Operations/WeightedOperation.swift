/// A convolution or a dense layer: a kernel with weights that forms a pending activation while it reads its input.
/// Parameters: weights, then the bias, if any, then the fused activation's slopes.
struct WeightedOperation<Kernel: WeightedKernel>: NodeOperation {
    let label, identity: String
    var kernel: Kernel
    let input: FusedInput
    let usesBias: Bool

    var isSamplewise: Bool { true }
    var algorithm: String? { kernel.algorithm }

    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {
        try kernel.prepare(batch: calls.batch, isSingleThreaded: calls.isSingleThreaded, subject: name)
    }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), weights = step.readParameter(0)
            let bias = usesBias ? step.readParameter(1) : nil
            let slopes = input.readSlopes(&step), y = step.writeOutput()
            return { [kernel] call in
                kernel.forward(
                    batch: call.batch, z: call[z], slopes: call[ifAny: slopes], weights: call[weights],
                    bias: call[ifAny: bias],
                    y: call[y], scratch: call.scratch)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), weights = step.readParameter(0), slopes = input.readSlopes(&step)
            let yGradient = step.readOutputGradient(), zGradient = step.writeInputGradient()
            let weightsGradient = step.writeParameterGradient(0)
            let biasGradient = usesBias ? step.writeParameterGradient(1) : nil
            let slopesGradient = input.writeSlopesGradient(&step)
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, z: call[z], slopes: call[ifAny: slopes], weights: call[weights],
                    yGradient: call[yGradient], zGradient: call[ifAny: zGradient], accumulate: zGradient.accumulates,
                    slopesGradient: call[ifAny: slopesGradient], weightsGradient: call[weightsGradient],
                    biasGradient: call[ifAny: biasGradient], scratch: call.scratch)
            }
        }
    }
}

extension WeightedOperation: ActivationReading {
    func activation(ofInput index: Int) -> FusibleActivation? { input.hasSlopes ? nil : input.function }
}

extension WeightedOperation<ConvolutionKernel> {
    /// A 2-D convolution.
    ///
    /// - Throws: ``ShapeError`` naming `name` if the input isn't [height, width, channels] or the window doesn't fit
    ///   the input.
    init(
        convolving value: Value, filters: Int, window: Window2D, usesBias: Bool, algorithm: ConvolutionAlgorithm,
        name: String
    ) throws(ShapeError) {
        try value.expectImage(for: name)
        guard filters >= 1 else {
            throw ShapeError(subject: name, expected: "at least 1 filter", found: "\(filters)")
        }
        let input = FusedInput(value, plainChannels: value.shape[2])
        self.init(
            label: "Conv2D \(window.height)×\(window.width)\(window.strideLabel)\(input.label)",
            identity: "Conv2D \(window.identity)\(input.label)",
            kernel: try ConvolutionKernel(
                height: value.shape[0], width: value.shape[1], channels: input.channels, outputChannels: filters,
                window: window, activation: input.function, algorithm: algorithm, subject: name),
            input: input, usesBias: usesBias)
    }
}

extension WeightedOperation<DenseKernel> {
    /// A dense layer.
    ///
    /// - Throws: ``ShapeError`` naming `name` if the input isn't flat or the number of units isn't positive.
    init(multiplying value: Value, units: Int, usesBias: Bool, name: String) throws(ShapeError) {
        guard value.shape.rank == 1 else {
            throw ShapeError(
                subject: name, expected: "a flat input (put Flatten() before it)", found: value.shape.description)
        }
        guard units >= 1 else {
            throw ShapeError(subject: name, expected: "at least 1 unit", found: "\(units)")
        }
        let input = FusedInput(value, plainChannels: value.shape[0])
        self.init(
            label: "Dense\(input.label)", identity: "Dense\(input.label)",
            kernel: try DenseKernel(
                positions: input.positions, channels: input.channels, outputFeatures: units,
                activation: input.function, subject: name),
            input: input, usesBias: usesBias)
    }
}
