import LinkedNet

/// ResNet50 (He et al. 2016) scaled to CIFAR-10 as in the paper's Tables 5 and 6: 16 bottleneck blocks of widths 16 to
/// 128.
///
/// Linked activations stand inside the blocks. After a block's sum, and after the first convolution, stands the base
/// activation, because the widths must match.
public struct ResNet50: Model {
    /// The options of the network.
    public var options: ModelOptions

    /// The network with these options.
    public init(_ options: ModelOptions = ModelOptions()) {
        self.options = options
    }

    /// For each stage: the number of blocks, the inner width of a block, the width of a block's output, and the stride
    /// of the first block.
    private static let stages: [(blocks: Int, inner: Int, outer: Int, stride: Int)] = [
        (3, 16, 64, 1), (4, 16, 64, 2), (6, 32, 128, 2), (3, 32, 128, 2),
    ]

    private var initializer: Initializer { .glorotUniform }

    public func layers() throws -> [any Layer] {
        options.convolution(options.width(8), kernel: 3, initializer: initializer)
        Activation(options.activation.function)
        for stage in Self.stages {
            for block in 0..<stage.blocks {
                let inner = options.width(stage.inner)
                let outer = options.width(stage.outer)
                try bottleneck(inner: inner, outer: outer, stride: block == 0 ? stage.stride : 1, projects: block == 0)
                Activation(options.activation.function)
            }
        }
        Flatten()
        Dense(options.classes, kernelInitializer: initializer)
    }

    private func bottleneck(inner: Int, outer: Int, stride: Int, projects: Bool) throws -> Residual {
        let body = try Sequential {
            try options.activatedConvolution(inner, kernel: 1, stride: stride, initializer: initializer)
            try options.activatedConvolution(inner, kernel: 3, initializer: initializer)
            options.convolution(outer, kernel: 1, initializer: initializer)
        }
        guard projects else { return Residual { body } }
        return Residual {
            body
        } projection: {
            options.convolution(outer, kernel: 1, stride: stride, initializer: initializer)
        }
    }
}
