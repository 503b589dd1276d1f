import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// ReLUs that are stored in place of their pre-activations. Gradients of ResNet50 are compared with differences in
/// NetworkGradientTests.
@Suite struct StoredActivationTests {
    private func labels(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> [String] {
        let model = try Sequential { try layers() }
        return try Network(model, input: [6, 6, 3], batch: 2, seed: 1).operations.map(\.label)
    }

    @LayerBuilder private func block(norm: Bool, _ second: some Layer) throws -> [any Layer] {
        Conv2D(6, kernel: 1)
        if norm { BatchNorm() }
        Activation(.relu)
        Residual {
            Conv2D(4, kernel: 1)
            Activation(.swish)
            Conv2D(6, kernel: 1)
            if norm { BatchNorm() }
        }
        Activation(.relu)
        second
        Flatten()
        Dense(3)
    }

    @Test(arguments: [false, true])
    func whatOnlyItsReLUIsReadOf(norm: Bool) throws {
        let labels = try labels { try block(norm: norm, Conv2D(5, kernel: 1)) }
        #expect(labels.count { $0.hasSuffix(" → relu") } == 2)
        #expect(labels.contains { $0.hasSuffix(" + relu of shortcut → relu") })
        #expect(labels.contains { $0.hasPrefix(norm ? "BatchNorm → relu" : "Conv2D 1×1 → relu") })
    }

    /// The pre-activation stays if another operation reads the pre-activation, if no 1×1 convolution gains, and for
    /// other functions.
    @Test func whatStays() throws {
        let pooled = try labels {
            try block(
                norm: false,
                Concat {
                    Conv2D(5, kernel: 1); AveragePool2D(1)
                })
        }
        #expect(pooled.count { $0.contains("→ relu") } == 1)
        let wide = try labels { try block(norm: false, Conv2D(5, kernel: 3)) }
        #expect(wide.count { $0.contains("→ relu") } == 1)
        let swish = try labels {
            Conv2D(6, kernel: 1)
            Activation(.swish)
            Conv2D(6, kernel: 1)
            LinkedActivation(.mirrored(.relu))
            Conv2D(6, kernel: 1)
        }
        #expect(swish.allSatisfy { !$0.contains("→") })
    }

    @Test func maxPoolingReadsWhatIsStored() throws {
        func second() -> some Layer {
            Concat {
                Conv2D(5, kernel: 1); MaxPool2D(2, stride: 1, padding: .same)
            }
        }
        let labels = try labels { try block(norm: false, second()) }
        #expect(labels.count { $0.contains("→ relu") } == 2)
        #expect(labels.contains("MaxPool2D 2×2 ← relu"))
        var check = try GradientCheck(try block(norm: false, second()), input: [6, 5, 3], batch: 3, seed: 45)
        try check.run()
    }

    @Test(arguments: [false, true])
    func gradients(norm: Bool) throws {
        var check = try GradientCheck(
            try block(norm: norm, Conv2D(5, kernel: 1, stride: 2)), input: [6, 5, 3], batch: 3, seed: 44)
        try check.run()
    }
}
