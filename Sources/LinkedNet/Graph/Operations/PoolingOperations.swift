/// The largest element of each window.
struct MaxPoolOperation: Operation {
    let kernel: PoolingKernel
    let window: Window2D

    var label: String { "MaxPool2D \(window.height)×\(window.width)" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

    /// Which element of its window each output is.
    func savedBytes(batch: Int) -> Int { batch * kernel.outputShape.elementCount }

    func forward(_ context: OperationContext) {
        kernel.maximumForward(
            batch: context.batch, x: context.input(), y: context.output,
            argmax: context.isTraining ? context.saved.assumingMemoryBound(to: UInt8.self) : nil)
    }

    func backward(_ context: OperationContext) {
        guard let gradient = context.inputGradient() else { return }
        kernel.maximumBackward(
            batch: context.batch, argmax: context.saved.assumingMemoryBound(to: UInt8.self),
            yGradient: context.outputGradient, xGradient: gradient, accumulate: context.accumulatesInputGradient())
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
