import LinkedNet

/// The activations of the paper's tables, by the names that commands take.
public enum ModelActivation: String, Sendable, Hashable, Codable, CaseIterable {
    /// max(z, 0)
    case relu
    /// Leaky ReLU of slope 0.3.
    case leakyReLU = "leaky-relu"
    /// PReLU with a slope for every position.
    case prelu
    /// ELU of α = 1.
    case elu
    /// SELU.
    case selu
    /// z·sigmoid(z)
    case swish
    /// concat(g(z), g(−z)) of ``relu``.
    case linkedReLU = "lk-relu"
    /// concat(g(z), g(−z)) of ``leakyReLU``.
    case linkedLeakyReLU = "lk-leaky-relu"
    /// concat(g(z), g(−z)) of ``prelu``, each member with slopes of its own.
    case linkedPReLU = "lk-prelu"
    /// concat(g(z), g(−z)) of ``elu``.
    case linkedELU = "lk-elu"
    /// concat(g(z), g(−z)) of ``selu``.
    case linkedSELU = "lk-selu"
    /// concat(g(z), g(−z)) of ``swish``.
    case linkedSwish = "lk-swish"
    /// Three members, which the paper allows and doesn't try: ReLU of z and −z, SELU of z.
    case threeLinked = "lk3-relu-selu"
    /// Four members, likewise: ReLU and SELU, each of z and −z.
    case fourLinked = "lk4-relu-selu"

    /// True for several members that share z.
    public var isLinked: Bool { rawValue.hasPrefix("lk") }

    /// g, the first member
    public var function: ActivationFunction {
        switch self {
        case .relu, .linkedReLU, .threeLinked, .fourLinked: .relu
        case .leakyReLU, .linkedLeakyReLU: .leakyReLU()
        case .prelu, .linkedPReLU: .prelu()
        case .elu, .linkedELU: .elu()
        case .selu, .linkedSELU: .selu
        case .swish, .linkedSwish: .swish
        }
    }

    /// The activation as a layer.
    public func layer() throws -> any Layer {
        switch self {
        case .threeLinked:
            LinkedActivation(try Linkage([.init(.relu), .init(.relu, inputScale: -1), .init(.selu)]))
        case .fourLinked:
            LinkedActivation(
                try Linkage([.init(.relu), .init(.relu, inputScale: -1), .init(.selu), .init(.selu, inputScale: -1)]))
        default: isLinked ? LinkedActivation(try .mirrored(function)) : Activation(function)
        }
    }
}

/// The options of the paper's models.
public struct ModelOptions: Sendable {
    /// The activation after the layers.
    public var activation: ModelActivation
    /// BatchNorm between each layer and its activation.
    public var batchNorm: Bool
    /// Every layer's units times √2, truncated: a plain network with as many weights as a linked one.
    public var widened: Bool
    /// How the kernels of convolutions and hidden dense layers start; `nil` for the experiment's own. The classifier
    /// keeps the experiment's.
    public var initializer: Initializer?
    /// The number of classes.
    public var classes: Int
    /// How convolutions are computed.
    public var convolution: ConvolutionAlgorithm

    /// The paper's model with linked ReLU, unless told otherwise.
    public init(
        activation: ModelActivation = .linkedReLU, batchNorm: Bool = false, widened: Bool = false,
        initializer: Initializer? = nil, classes: Int = 10, convolution: ConvolutionAlgorithm = .automatic
    ) {
        self.activation = activation
        self.batchNorm = batchNorm
        self.widened = widened
        self.initializer = initializer
        self.classes = classes
        self.convolution = convolution
    }

    /// `units`, widened if asked for.
    func width(_ units: Int) -> Int {
        // Past what a Double counts exactly, and what any network could have, the shape check says so.
        widened && (0..<1 << 50).contains(units) ? Int(Double(units) * 2.0.squareRoot()) : units
    }

    /// A convolution of `filters` units (not widened here), then BatchNorm if asked for.
    @LayerBuilder
    func convolution(
        _ filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .same, initializer own: Initializer
    ) -> [any Layer] {
        Conv2D(
            filters, kernel: kernel, stride: stride, padding: padding, kernelInitializer: initializer ?? own,
            algorithm: convolution)
        if batchNorm { BatchNorm() }
    }

    /// As ``convolution(_:kernel:stride:padding:initializer:)``, then the activation.
    @LayerBuilder
    func activatedConvolution(
        _ filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .same, initializer own: Initializer
    ) throws -> [any Layer] {
        convolution(filters, kernel: kernel, stride: stride, padding: padding, initializer: own)
        try activation.layer()
    }
}
