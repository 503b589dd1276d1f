import LinkedNet

/// The paper's network for counting parameters (Table 3): four convolutions, two max-poolings, two dense layers.
public struct ExtendedNetwork: Model {
    /// The options of the network.
    public var options: ModelOptions

    /// The network with these options.
    public init(_ options: ModelOptions = ModelOptions()) {
        self.options = options
    }

    public func layers() throws -> [any Layer] {
        let initializer = Initializer.glorotNormal
        for filters in [options.width(32), options.width(64)] {
            try options.activatedConvolution(filters, kernel: 3, initializer: initializer)
            try options.activatedConvolution(filters, kernel: 3, padding: .valid, initializer: initializer)
            MaxPool2D(2)
        }
        Flatten()
        Dense(options.width(512), kernelInitializer: options.initializer ?? initializer)
        if options.batchNorm { BatchNorm() }
        try options.activation.layer()
        Dense(options.classes, kernelInitializer: initializer)
    }
}
