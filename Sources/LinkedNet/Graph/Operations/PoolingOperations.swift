/// The largest element of each window, of each member of a pending activation that it forms while it reads its input.
struct MaxPoolOperation: Operation {
    let kernel: PoolingKernel
    let window: Window2D
    let input: FusedInput

    /// - Throws: ``ShapeError`` naming `name` if the input isn't [height, width, channels] or the window doesn't fit
    ///   it.
    init(pooling value: Value, window: Window2D, name: String) throws(ShapeError) {
        try value.expectImage(for: name)
        input = FusedInput(value, plainChannels: value.shape[2])
        kernel = try PoolingKernel(
            height: value.shape[0], width: value.shape[1], channels: input.channels, window: window,
            activation: input.function, subject: name)
        self.window = window
    }

    /// True if the kernel forms the activation as fast as one of its own would: it has no slopes to learn, and is
    /// formed once for each element, or is cheap.
    static func suits(_ activation: PendingActivation, _ window: Window2D) -> Bool {
        let overlaps = window.strideHeight < window.height || window.strideWidth < window.width
        return activation.slopes == nil
            && (!overlaps || activation.function.members.allSatisfy(\.function.isPiecewiseLinear))
    }

    var label: String { "MaxPool2D \(window.height)×\(window.width)\(input.label)" }
    var backwardReadsInputs: Bool { input.function != .identity }
    var treatsSamplesAlone: Bool { true }

    /// Which element of its window each output is.
    func savedBytes(batch: Int) -> Int { batch * kernel.outputShape.elementCount }

    func forward(_ context: OperationContext) {
        kernel.maximumForward(
            batch: context.batch, z: context.input(), y: context.output,
            argmax: context.isTraining ? context.saved.assumingMemoryBound(to: UInt8.self) : nil)
    }

    func backward(_ context: OperationContext) {
        guard let gradient = context.inputGradient() else { return }
        kernel.maximumBackward(
            batch: context.batch, argmax: context.saved.assumingMemoryBound(to: UInt8.self), z: context.input(),
            yGradient: context.outputGradient, zGradient: gradient, accumulate: context.accumulatesInputGradient())
    }
}

extension MaxPoolOperation: ActivationReading {
    func activation(ofInput index: Int) -> FusibleActivation? { input.function }
}

extension ScalarFunction {
    fileprivate var isPiecewiseLinear: Bool {
        switch self {
        case .identity, .relu, .leakyReLU, .prelu: true
        case .elu, .selu, .swish: false
        }
    }
}

extension Value {
    /// - Throws: ``ShapeError`` naming `name` unless this is [height, width, channels].
    func expectImage(for name: String) throws(ShapeError) {
        guard shape.rank == 3 else {
            throw ShapeError(subject: name, expected: "an input of [height, width, channels]", found: shape.description)
        }
    }
}

/// The mean of each window.
struct AveragePoolOperation: Operation {
    let kernel: PoolingKernel
    let window: Window2D

    var label: String { "AveragePool2D \(window.height)×\(window.width)" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

    func forward(_ context: OperationContext) {
        kernel.averageForward(batch: context.batch, x: context.input(), y: context.output)
    }

    func backward(_ context: OperationContext) {
        guard let gradient = context.inputGradient() else { return }
        kernel.averageBackward(
            batch: context.batch, yGradient: context.outputGradient, xGradient: gradient,
            accumulate: context.accumulatesInputGradient())
    }
}

/// The mean over all positions of each channel.
struct GlobalAveragePoolOperation: Operation {
    let positions, channels: Int

    var label: String { "GlobalAveragePool2D" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

    func forward(_ context: OperationContext) {
        GlobalAveragePoolKernel.forward(
            batch: context.batch, positions: positions, channels: channels, x: context.input(), y: context.output)
    }

    func backward(_ context: OperationContext) {
        guard let gradient = context.inputGradient() else { return }
        GlobalAveragePoolKernel.backward(
            batch: context.batch, positions: positions, channels: channels, yGradient: context.outputGradient,
            xGradient: gradient, accumulate: context.accumulatesInputGradient())
    }
}
