/// A 2-D convolution of [height, width, channels], NHWC.
///
/// Parameters: `kernel` [kernel height, kernel width, channels, filters] and, unless switched off, `bias` [filters].
public struct Conv2D: Layer {
    /// The number of output channels.
    public var filters: Int
    /// The kernel's size, its strides and padding.
    public var window: Window2D
    /// True if a bias is added.
    public var usesBias: Bool
    /// The first values of the kernel.
    public var kernelInitializer: Initializer
    /// The first values of the bias.
    public var biasInitializer: Initializer
    /// The algorithm of the convolution.
    public var algorithm: ConvolutionAlgorithm
    public var name: String?

    /// A convolution with a square kernel and equal strides.
    ///
    /// - Parameters:
    ///   - filters: the number of output channels.
    ///   - kernel: the kernel's height and width.
    ///   - stride: the step between windows, in both directions.
    ///   - padding: the treatment of the edges.
    ///   - usesBias: true if a bias is added.
    ///   - kernelInitializer: the first values of the kernel.
    ///   - biasInitializer: the first values of the bias.
    ///   - algorithm: the algorithm of the convolution.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(
        _ filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .valid, usesBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        algorithm: ConvolutionAlgorithm = .automatic, name: String? = nil
    ) {
        self.init(
            filters,
            window: Window2D(
                height: kernel, width: kernel, strideHeight: stride, strideWidth: stride, padding: padding),
            usesBias: usesBias, kernelInitializer: kernelInitializer, biasInitializer: biasInitializer,
            algorithm: algorithm, name: name)
    }

    /// A convolution with any window.
    public init(
        _ filters: Int, window: Window2D, usesBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, algorithm: ConvolutionAlgorithm = .automatic, name: String? = nil
    ) {
        self.filters = filters
        self.window = window
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.algorithm = algorithm
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        if let pointwise = try PointwiseOperation(
            convolving: input, filters: filters, window: window, usesBias: usesBias, name: graph.currentName)
        {
            return try graph.addFusing(
                pointwise, input: input, parameters: try parameters(input, in: graph),
                outputShape: pointwise.kernel.outputShape)
        }
        let operation = try WeightedOperation(
            convolving: input, filters: filters, window: window, usesBias: usesBias, algorithm: algorithm,
            name: graph.currentName)
        return try graph.addFusing(
            operation, input: input, parameters: try parameters(input, in: graph),
            outputShape: operation.kernel.outputShape)
    }

    private func parameters(_ input: Value, in graph: GraphBuilder) throws -> [ParameterID] {
        let channels = input.shape[2]
        let area = window.height * window.width
        var parameters = [
            try graph.parameter(
                "kernel", shape: [window.height, window.width, channels, filters],
                initialization: kernelInitializer.initialization(fanIn: area * channels, fanOut: area * filters))
        ]
        if usesBias {
            parameters.append(
                try graph.parameter(
                    "bias", shape: [filters],
                    initialization: biasInitializer.initialization(fanIn: filters, fanOut: filters)))
        }
        return parameters
    }
}
