import Testing

@testable import LinkedNet

/// Activations that max-pooling forms as it reads.
@Suite struct PooledActivationTests {
    private static func model(_ linkage: Linkage, _ pooling: MaxPool2D) throws -> Sequential {
        Sequential {
            Conv2D(5, kernel: 3)
            LinkedActivation(linkage)
            pooling
            Flatten()
            Dense(4)
        }
    }

    private static func labels(_ linkage: Linkage, _ pooling: MaxPool2D) throws -> [String] {
        try Network(model(linkage, pooling), input: [9, 8, 3], batch: 2, seed: 1).operations.map(\.label)
    }

    @Test func whatIsFused() throws {
        let windows = MaxPool2D(2), overlapping = MaxPool2D(3, stride: 2)
        for linkage in [Linkage.mirrored(.relu), .mirrored(.leakyReLU())] {
            for pooling in [windows, overlapping] {
                #expect(try Self.labels(linkage, pooling).allSatisfy { !$0.hasPrefix("Activation") })
            }
        }
        #expect(try Self.labels(.mirrored(.relu), windows).contains("MaxPool2D 2×2 ← mirrored relu"))
        #expect(try Self.labels(.mirrored(.swish), windows).contains("MaxPool2D 2×2 ← mirrored swish"))
        // Each window would evaluate the activation again.
        #expect(try Self.labels(.mirrored(.swish), overlapping).contains("Activation mirrored swish"))
        #expect(try Self.labels(.mirrored(.prelu()), windows).contains("Activation mirrored prelu"))
    }

    /// A fused activation and a stored activation give the same bits.
    @Test func sameBitsAsStored() throws {
        var random = CounterRandom(seed: 5, use: RandomUse(rawValue: 2004))
        let images = (0..<(3 * 9 * 8 * 3)).map { _ in Float(random.normal()) }
        for linkage in [Linkage.mirrored(.relu), .mirrored(.swish), .mirrored(.leakyReLU())] {
            let results = try [true, false].map { isFused in
                let network = try Network(
                    Self.model(linkage, MaxPool2D(2)), input: [9, 8, 3], batch: 3, seed: 6, fusesActivations: isFused)
                #expect(network.operations.contains { $0.label.hasPrefix("Activation") } == !isFused)
                try network.forward(input: images.span, mode: .training(step: 1))
                _ = SoftmaxCrossEntropy().evaluate(
                    output: network.output, labels: [0, 3, 2], count: 3, classes: 4, gradient: network.outputGradient)
                try network.backward(input: images.span, step: 1)
                return network.parameterGradients.map(\.bitPattern)
            }
            #expect(results[0] == results[1])
            #expect(results[0].contains { $0 != 0 })
        }
    }
}
