/// Convolutions of few channels that feed each other, computed as one. Parameters: those of all its convolutions, in
/// order.
struct ConvolutionChainOperation: GroupedOperation {
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
                batch: context.batch, z: context.input(), parameters: parameters, y: context.output,
                kept: context.saved,
                scratch: context.scratch)
        }
    }

    func backward(_ context: OperationContext) {
        context.bindings.parameters.withUnsafeBufferPointer { parameters in
            context.bindings.parameterGradients.withUnsafeBufferPointer { gradients in
                kernel.backward(
                    batch: context.batch, parameters: parameters, yGradient: context.outputGradient,
                    kept: context.saved,
                    zGradient: context.inputGradient(), accumulate: context.accumulatesInputGradient(),
                    gradients: gradients, scratch: context.scratch)
            }
        }
    }

    // MARK: Its convolutions

    func algorithm(ofMember member: Int) -> String? { "chain of \(kernel.layerCount)" }

    func withOutput(ofMember member: Int, _ context: OperationContext, _ body: (UnsafePointer<Float>) -> Void) {
        guard member < kernel.layerCount - 1 else { return body(context.output) }
        let copy = context.scratch.assumingMemoryBound(to: Float.self)
        kernel.copyOutput(ofLayer: member, batch: context.batch, kept: context.saved, to: copy)
        body(copy)
    }
}
