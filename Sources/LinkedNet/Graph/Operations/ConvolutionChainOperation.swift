/// Convolutions of few channels that feed each other, computed as one. Parameters: those of all its convolutions, in order.
struct ConvolutionChainOperation: Operation {
    let kernel: ConvolutionChainKernel
    /// The number of elements of the largest output in between, of one sample.
    let largestOutput: Int

    var label: String { "Conv2D chain" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

    func savedBytes(batch: Int) -> Int { kernel.keptBytes(batch: batch) }

    func scratchBytes(batch: Int) -> Int {
        max(kernel.scratchBytes(batch: batch), batch * largestOutput * MemoryLayout<Float>.stride)
    }

    func forward(_ context: OperationContext) {
        context.bindings.parameters.withUnsafeBufferPointer { parameters in
            kernel.forward(
                batch: context.batch, z: context.input(), parameters: parameters, y: context.output, kept: context.saved,
                scratch: context.scratch)
        }
    }

    func backward(_ context: OperationContext) {
        context.bindings.parameters.withUnsafeBufferPointer { parameters in
            context.bindings.parameterGradients.withUnsafeBufferPointer { gradients in
                kernel.backward(
                    batch: context.batch, parameters: parameters, yGradient: context.outputGradient, kept: context.saved,
                    zGradient: context.inputGradient(), accumulate: context.accumulatesInputGradient(),
                    gradients: gradients, scratch: context.scratch)
            }
        }
    }

    /// The output of one of its convolutions after ``forward(_:)``; valid until the scratch is used again.
    func output(ofLayer layer: Int, _ context: OperationContext) -> UnsafePointer<Float> {
        guard layer < kernel.layerCount - 1 else { return UnsafePointer(context.output) }
        let copy = context.scratch.assumingMemoryBound(to: Float.self)
        kernel.copyOutput(ofLayer: layer, batch: context.batch, kept: context.saved, to: copy)
        return UnsafePointer(copy)
    }
}
