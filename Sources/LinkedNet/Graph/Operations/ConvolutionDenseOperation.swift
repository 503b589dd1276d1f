/// A convolution into a dense layer, computed as one node. Parameters: the convolution's, then the dense layer's.
struct ConvolutionDenseOperation: NodeOperation {
    private let kernel: ConvolutionDenseKernel
    private let layers: [ComputedLayer]
    /// True for each of the two layers that has a bias.
    private let usesBias: (convolution: Bool, dense: Bool)

    init(
        kernel: ConvolutionDenseKernel, convolution: ComputedLayer, dense: ComputedLayer,
        usesBias: (convolution: Bool, dense: Bool)
    ) {
        self.kernel = kernel
        layers = [(convolution, "fused with dense"), (dense, nil)].map { layer, algorithm in
            var layer = layer
            layer.algorithm = algorithm
            return layer
        }
        self.usesBias = usesBias
    }

    var label: String { "Conv2D into Dense" }
    var isSamplewise: Bool { true }

    func layers(of node: Graph.Node) -> [ComputedLayer] { layers }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let input = step.readInput(), parameters = arranged { step.readParameter($0) }, y = step.writeOutput()
            step.show = { [kernel] layer, call, body in
                guard layer == 0 else { return body(call[y]) }
                kernel.withConvolutionOutput(
                    batch: call.batch, input: call[input], parameters: parameters.map { call[$0] }, body)
            }
            return { [kernel] call in
                kernel.forward(
                    batch: call.batch, input: call[input], parameters: parameters.map { call[$0] }, y: call[y],
                    scratch: call.scratch)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let input = step.readInput(), parameters = arranged { step.readParameter($0) }
            let yGradient = step.readOutputGradient(), gradients = arranged { step.writeParameterGradient($0) }
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, input: call[input], parameters: parameters.map { call[$0] },
                    yGradient: call[yGradient], gradients: gradients.map { call[$0] }, scratch: call.scratch)
            }
        }
    }

    /// The parameters by their role, from the parameters by number.
    private func arranged<Element>(_ parameter: (Int) -> Element) -> ConvolutionDenseKernel.Parameters<Element> {
        let dense = usesBias.convolution ? 2 : 1
        return .init(
            weights: parameter(0), bias: usesBias.convolution ? parameter(1) : nil, denseWeights: parameter(dense),
            denseBias: usesBias.dense ? parameter(dense + 1) : nil)
    }
}
