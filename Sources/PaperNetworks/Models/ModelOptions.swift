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
    /// Three members: ReLU of z and −z, SELU of z. The paper allows three members, but tries only two.
    case threeLinked = "lk3-relu-selu"
    /// Four members: ReLU and SELU, each of z and −z. The paper allows four members, but tries only two.
    case fourLinked = "lk4-relu-selu"

    /// True for an activation of several members that share z.
    public var isLinked: Bool { rawValue.hasPrefix("lk") }

    /// g, the first member.
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
    /// True for the dropout layers of the paper's network. ``AllCNN`` alone has such layers.
    public var dropout: Bool
    /// True for √2 times the units of every layer, rounded down. A plain network then has about as many weights as a
    /// linked network.
    public var widened: Bool
    /// The initialiser of the kernels of convolutions and hidden dense layers; `nil` for the experiment's initialiser.
    /// A dense classifier keeps the experiment's initialiser.
    public var initializer: Initializer?
    /// The number of classes.
    public var classes: Int
    /// The algorithm of the convolutions.
    public var convolution: ConvolutionAlgorithm

    /// The paper's model with linked ReLU, unless an argument says otherwise.
    public init(
        activation: ModelActivation = .linkedReLU, batchNorm: Bool = false, dropout: Bool = true,
        widened: Bool = false, initializer: Initializer? = nil, classes: Int = 10,
        convolution: ConvolutionAlgorithm = .automatic
    ) {
        self.activation = activation
        self.batchNorm = batchNorm
        self.dropout = dropout
        self.widened = widened
        self.initializer = initializer
        self.classes = classes
        self.convolution = convolution
    }

    /// `units`, times √2 if ``widened`` is true.
    func width(_ units: Int) -> Int {
        // The shape check refuses a number outside this range. A Double can't hold every such number exactly, and no
        // network has so many units.
        widened && (0..<1 << 50).contains(units) ? Int(Double(units) * 2.0.squareRoot()) : units
    }

    /// A convolution of `filters` units, then BatchNorm if ``batchNorm`` is true. The function doesn't widen the units.
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
