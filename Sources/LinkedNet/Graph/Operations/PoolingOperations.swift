/// The largest element of each window, for each member of a pending activation. The operation forms the activation
/// while it reads its input.
struct MaxPoolOperation: NodeOperation {
    let kernel: PoolingKernel
    let window: Window2D
    let ceilMode: Bool
    let input: FusedInput

    /// - Throws: ``ShapeError`` naming `name` if the input isn't [height, width, channels] or the window doesn't fit
    ///   the input.
    init(pooling value: Value, window: Window2D, ceilMode: Bool, name: String) throws(ShapeError) {
        try value.expectImage(for: name)
        input = FusedInput(value, plainChannels: value.shape[2])
        kernel = try PoolingKernel(
            height: value.shape[0], width: value.shape[1], channels: input.channels, window: window,
            ceilMode: ceilMode, activation: input.function, subject: name)
        self.window = window
        self.ceilMode = ceilMode
    }

    /// True if the kernel forms the activation as fast as a kernel of its own would. The activation then has no slopes
    /// to learn, and is cheap or formed once for each element.
    static func suits(_ activation: PendingActivation, _ window: Window2D) -> Bool {
        let overlaps = window.strideHeight < window.height || window.strideWidth < window.width
        return activation.slopes == nil
            && (!overlaps || activation.function.members.allSatisfy(\.function.isPiecewiseLinear))
    }

    var label: String { "MaxPool2D \(window.height)×\(window.width)\(input.label)" }
    var identity: String { "MaxPool2D \(window.identity)\(ceilMode ? " ceil" : "")\(input.label)" }
    var isSamplewise: Bool { true }

    /// The index of each output in its window: one byte an output.
    private static let argmax = "argmax"

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), y = step.writeOutput()
            let argmax: Writable<UInt8> = step.writeSaved(
                Self.argmax, bytes: step.batch * kernel.outputShape.elementCount)
            return { [kernel] call in
                kernel.maximumForward(
                    batch: call.batch, z: call[z], y: call[y], argmax: call.isTraining ? call[argmax] : nil)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            guard let zGradient = step.writeInputGradient() else { return nil }
            let argmax: Readable<UInt8> = step.readSaved(Self.argmax), yGradient = step.readOutputGradient()
            // The gradient of a plain maximum doesn't depend on z.
            let z = input.function == .identity ? nil : step.readInput()
            return { [kernel] call in
                kernel.maximumBackward(
                    batch: call.batch, argmax: call[argmax], z: call[ifAny: z], yGradient: call[yGradient],
                    zGradient: call[zGradient], accumulate: zGradient.accumulates)
            }
        }
    }
}

extension MaxPoolOperation: ActivationReading {
    func activation(ofInput index: Int) -> FusibleActivation? { input.function }
}

/// The mean of each window.
struct AveragePoolOperation: NodeOperation {
    let kernel: PoolingKernel
    let label, identity: String

    /// - Throws: ``ShapeError`` naming `name` if the input isn't [height, width, channels] or the window doesn't fit
    ///   the input.
    init(pooling value: Value, window: Window2D, ceilMode: Bool, countsPadding: Bool, name: String)
        throws(ShapeError)
    {
        try value.expectImage(for: name)
        kernel = try PoolingKernel(
            height: value.shape[0], width: value.shape[1], channels: value.shape[2], window: window,
            ceilMode: ceilMode, countsPadding: countsPadding, subject: name)
        label = "AveragePool2D \(window.height)×\(window.width)"
        identity =
            "AveragePool2D \(window.identity)\(ceilMode ? " ceil" : "")\(countsPadding ? " counting padding" : "")"
    }
    var isSamplewise: Bool { true }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let x = step.readInput(), y = step.writeOutput()
            return { [kernel] call in kernel.averageForward(batch: call.batch, x: call[x], y: call[y]) }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            guard let xGradient = step.writeInputGradient() else { return nil }
            let yGradient = step.readOutputGradient()
            return { [kernel] call in
                kernel.averageBackward(
                    batch: call.batch, yGradient: call[yGradient], xGradient: call[xGradient],
                    accumulate: xGradient.accumulates)
            }
        }
    }
}

/// The mean over all positions of each channel.
struct GlobalAveragePoolOperation: NodeOperation {
    let positions, channels: Int

    var label: String { "GlobalAveragePool2D" }
    var isSamplewise: Bool { true }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let x = step.readInput(), y = step.writeOutput()
            return { [positions, channels] call in
                GlobalAveragePoolKernel.forward(
                    batch: call.batch, positions: positions, channels: channels, x: call[x], y: call[y])
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            guard let xGradient = step.writeInputGradient() else { return nil }
            let yGradient = step.readOutputGradient()
            return { [positions, channels] call in
                GlobalAveragePoolKernel.backward(
                    batch: call.batch, positions: positions, channels: channels, yGradient: call[yGradient],
                    xGradient: call[xGradient], accumulate: xGradient.accumulates)
            }
        }
    }
}
