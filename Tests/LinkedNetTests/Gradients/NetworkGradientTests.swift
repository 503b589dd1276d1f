import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Gradients of whole networks against central differences in double precision.
@Suite struct NetworkGradientTests {
    /// The paper's networks at sizes that a naive reference can differentiate: each keeps its model's structure.
    enum Structure: String, CaseIterable {
        case depth, width, extended, allCNN, resNet

        var input: Shape {
            switch self {
            case .depth: [12, 12, 3]
            case .width: [8, 8, 3]
            case .extended: [10, 10, 1]
            case .allCNN: [6, 6, 3]
            case .resNet: [6, 6, 3]
            }
        }

        var batch: Int { 3 }

        func layers(_ options: ModelOptions) throws -> [any Layer] {
            switch self {
            case .depth: try DepthNetwork(options, depth: 4).layers()
            case .width: try WidthNetwork(options, units: 6).layers()
            case .extended: try smallExtended(options)
            case .allCNN: try smallAllCNN(options)
            case .resNet: try smallResNet(options)
            }
        }

        @LayerBuilder
        private func smallExtended(_ options: ModelOptions) throws -> [any Layer] {
            for filters in [4, 5] {
                try options.activatedConvolution(filters, kernel: 3, initializer: .glorotNormal)
                MaxPool2D(2)
            }
            Flatten()
            Dense(7)
            if options.batchNorm { BatchNorm() }
            try options.activation.layer()
            Dense(5)
        }

        @LayerBuilder
        private func smallAllCNN(_ options: ModelOptions) throws -> [any Layer] {
            for filters in [4, 6] {
                try options.activatedConvolution(filters, kernel: 3, initializer: .heNormal)
                options.convolution(filters, kernel: 3, stride: 2, initializer: .heNormal)
                Dropout(0.5)
            }
            try options.activatedConvolution(6, kernel: 1, initializer: .heNormal)
            Conv2D(5, kernel: 1)
            GlobalAveragePool2D()
        }

        @LayerBuilder
        private func smallResNet(_ options: ModelOptions) throws -> [any Layer] {
            options.convolution(4, kernel: 3, initializer: .glorotUniform)
            Activation(options.activation.function)
            for stride in [1, 2] {
                let body = try Sequential {
                    try options.activatedConvolution(3, kernel: 1, stride: stride, initializer: .glorotUniform)
                    try options.activatedConvolution(3, kernel: 3, initializer: .glorotUniform)
                    options.convolution(6, kernel: 1, initializer: .glorotUniform)
                }
                Residual {
                    body
                } projection: {
                    options.convolution(6, kernel: 1, stride: stride, initializer: .glorotUniform)
                }
                Activation(options.activation.function)
                try Residual {
                    try options.activatedConvolution(6, kernel: 3, initializer: .glorotUniform)
                    options.convolution(6, kernel: 1, initializer: .glorotUniform)
                }
                Activation(options.activation.function)
            }
            Flatten()
            Dense(5)
        }
    }

    static let activations: [ModelActivation] = [
        .relu, .prelu, .linkedReLU, .linkedPReLU, .linkedSELU, .linkedSwish,
    ]

    static let cases: [(Structure, ModelActivation, Bool)] = Structure.allCases.flatMap { structure in
        activations.flatMap { activation in [false, true].map { (structure, activation, $0) } }
    }

    @Test(arguments: cases)
    func smallNetwork(structure: Structure, activation: ModelActivation, batchNorm: Bool) throws {
        let options = ModelOptions(activation: activation, batchNorm: batchNorm)
        var check = try GradientCheck(
            structure.layers(options), input: structure.input, batch: structure.batch, seed: 7)
        try check.run()
    }

    @Test func allCNN() throws {
        var check = try GradientCheck(AllCNN().layers(), input: [8, 8, 3], batch: 2, seed: 3)
        try check.run(.quick)
    }

    @Test func extended() throws {
        var check = try GradientCheck(
            ExtendedNetwork(ModelOptions(activation: .linkedReLU, batchNorm: true)).layers(), input: [10, 10, 1],
            batch: 3, seed: 4)
        try check.run(.quick)
    }

    @Test(arguments: [false, true])
    func resNet50(batchNorm: Bool) throws {
        let options = ModelOptions(activation: .linkedReLU, batchNorm: batchNorm)
        // Fifty normalisations over few rows multiply errors by thousands at scales of 1. With smaller scales, the
        // shortcuts dominate.
        var check = try GradientCheck(
            ResNet50(options).layers(), input: [8, 8, 3], batch: 4, seed: 5, gamma: 0.3)
        try check.run(.quick)
    }
}
