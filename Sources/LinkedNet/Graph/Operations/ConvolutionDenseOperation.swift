/// A convolution into a dense layer, computed as one. Parameters: those of the convolution, then those of the dense
/// layer.
struct ConvolutionDenseOperation: GroupedOperation {
    let kernel: ConvolutionDenseKernel
    /// Whether the convolution and the dense layer have a bias.
    let usesBias: (convolution: Bool, dense: Bool)

    var label: String { "Conv2D into Dense" }
    var treatsSamplesAlone: Bool { true }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func forward(_ context: OperationContext) {
        kernel.forward(
            batch: context.batch, input: context.input(), parameters: parameters(context), y: context.output,
            scratch: context.scratch)
    }

    func backward(_ context: OperationContext) {
        kernel.backward(
            batch: context.batch, input: context.input(), parameters: parameters(context),
            yGradient: context.outputGradient,
            gradients: arranged { context.parameterGradient($0) }, scratch: context.scratch)
    }

    private func parameters(_ context: OperationContext) -> ConvolutionDenseKernel.Parameters<UnsafePointer<Float>> {
        arranged { context.parameter($0) }
    }

    /// The parameters by what they are, from those by number.
    private func arranged<Pointer>(_ parameter: (Int) -> Pointer) -> ConvolutionDenseKernel.Parameters<Pointer> {
        let dense = usesBias.convolution ? 2 : 1
        return .init(
            weights: parameter(0), bias: usesBias.convolution ? parameter(1) : nil, denseWeights: parameter(dense),
            denseBias: usesBias.dense ? parameter(dense + 1) : nil)
    }

    // MARK: Its two layers

    func algorithm(ofMember member: Int) -> String? { member == 0 ? "fused with dense" : nil }

    func withOutput(ofMember member: Int, _ context: OperationContext, _ body: (UnsafePointer<Float>) -> Void) {
        guard member == 0 else { return body(context.output) }
        kernel.withConvolutionOutput(
            batch: context.batch, input: context.input(), parameters: parameters(context), body)
    }
}
