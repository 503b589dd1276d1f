import LinkedNet

/// The All Convolutional Net (Springenberg et al. 2015) as trained on CIFAR-10 in the linked-neurons paper (Table 4).
///
/// Strided convolutions in place of pooling, dropout after each strided convolution, no dense layer. No activation
/// stands after the strided convolutions.
public struct AllCNN: Model {
    /// The options of the network.
    public var options: ModelOptions

    /// The network with these options.
    public init(_ options: ModelOptions = ModelOptions()) {
        self.options = options
    }

    public func layers() throws -> [any Layer] {
        let initializer = Initializer.glorotUniform
        for filters in [options.width(96), options.width(192)] {
            for _ in 0..<2 {
                try options.activatedConvolution(filters, kernel: 3, initializer: initializer)
            }
            options.convolution(filters, kernel: 3, stride: 2, initializer: initializer)
            if options.dropout { Dropout(0.5) }
        }
        try options.activatedConvolution(options.width(192), kernel: 3, initializer: initializer)
        try options.activatedConvolution(options.width(192), kernel: 1, initializer: initializer)
        Conv2D(
            options.classes, kernel: 1, kernelInitializer: options.initializer ?? initializer,
            algorithm: options.convolution)
        GlobalAveragePool2D()
    }
}
