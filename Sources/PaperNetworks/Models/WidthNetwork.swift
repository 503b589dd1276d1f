import LinkedNet

/// The paper's wide and shallow network (Table 1): one 3×3 convolution and a dense layer.
public struct WidthNetwork: Model {
    /// The options of the network.
    public var options: ModelOptions
    /// The number of units of the convolution, 50 and 400 in the paper.
    public var units: Int

    /// The network with these options.
    ///
    /// - Parameters:
    ///   - options: activation, normalisation, initialiser and width.
    ///   - units: the number of units of the convolution.
    public init(_ options: ModelOptions = ModelOptions(), units: Int) {
        self.options = options
        self.units = units
    }

    public func layers() throws -> [any Layer] {
        let initializer = Initializer.glorotUniform
        try options.activatedConvolution(
            options.width(units), kernel: 3, padding: .valid, initializer: initializer)
        Flatten()
        Dense(options.classes, kernelInitializer: initializer)
    }
}
