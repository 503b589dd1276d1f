import LinkedNet

/// The paper's very deep and narrow network (Table 2): a 7×7 convolution of stride 2, then 50 3×3 convolutions, all of
/// 4 units.
public struct DepthNetwork: Model {
    /// The options of the network.
    public var options: ModelOptions
    /// The number of 3×3 convolutions.
    public var depth: Int

    /// The network with these options.
    ///
    /// - Parameters:
    ///   - options: activation, normalisation, initialiser and width.
    ///   - depth: the number of 3×3 convolutions, 50 in the paper.
    public init(_ options: ModelOptions = ModelOptions(), depth: Int = 50) {
        self.options = options
        self.depth = depth
    }

    public func layers() throws -> [any Layer] {
        let initializer = Initializer.glorotUniform
        try options.activatedConvolution(options.width(4), kernel: 7, stride: 2, initializer: initializer)
        for _ in 0..<max(depth, 0) {
            try options.activatedConvolution(options.width(4), kernel: 3, initializer: initializer)
        }
        Flatten()
        Dense(options.classes, kernelInitializer: initializer)
    }
}
