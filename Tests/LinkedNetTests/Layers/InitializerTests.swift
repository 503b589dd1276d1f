import Testing

@testable import LinkedNet

/// Moments and bounds of initial weights against their formulas and against Keras' samples.
@Suite struct InitializerTests {
    /// (initializer, Keras' name, variance as a function of the fans, bound in standard deviations)
    static let cases: [(initializer: Initializer, name: String, isUniform: Bool)] = [
        (.glorotUniform, "glorot_uniform", true), (.glorotNormal, "glorot_normal", false),
        (.heUniform, "he_uniform", true), (.heNormal, "he_normal", false),
        (.lecunUniform, "lecun_uniform", true), (.lecunNormal, "lecun_normal", false),
    ]

    private static func variance(_ initializer: Initializer, _ fanIn: Double, _ fanOut: Double) -> Double {
        switch initializer {
        case .glorotUniform, .glorotNormal: 2 / (fanIn + fanOut)
        case .heUniform, .heNormal: 2 / fanIn
        case .lecunUniform, .lecunNormal: 1 / fanIn
        case .constant: 0
        }
    }

    private static func moments(_ weights: [Float]) -> (mean: Double, deviation: Double, largest: Double) {
        let mean = weights.reduce(0) { $0 + Double($1) } / Double(weights.count)
        let square = weights.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(weights.count)
        return (mean, square.squareRoot(), weights.reduce(0) { max($0, abs(Double($1))) })
    }

    @Test(arguments: cases)
    func convolution(initializer: Initializer, name: String, isUniform: Bool) throws {
        let layer = Conv2D(300, kernel: 3, kernelInitializer: initializer)
        let network = try Network(layer, input: [3, 3, 50], batch: 1, seed: 11)
        let weights = try network.weight(named: "conv2d/kernel").elements
        let count = Double(weights.count)
        let variance = Self.variance(initializer, 9 * 50, 9 * 300)
        let (mean, deviation, largest) = Self.moments(weights)
        // Five standard errors of a mean and of a standard deviation (σ/√(2n) for a normal distribution, less for these
        // shorter tails).
        #expect(abs(mean) < 5 * (variance / count).squareRoot())
        #expect(abs(deviation / variance.squareRoot() - 1) < 5 / (2 * count).squareRoot())
        // √3 σ, or 2 standard deviations of the normal distribution before the cut.
        let bound = (isUniform ? 3.0.squareRoot() : 2 / 0.87962566103423978) * variance.squareRoot()
        #expect(largest <= bound * (1 + 1e-6))
        #expect(largest > bound * 0.99)
        #expect(try network.weight(named: "conv2d/bias").elements == Array(repeating: 0, count: 300))
    }

    @Test(arguments: cases)
    func sameDeviationAsKeras(initializer: Initializer, name: String, isUniform: Bool) throws {
        let golden = try #require(try GoldenFile.keras.get().cases["initializer"])
        // The shape of Keras' sample.
        let initialization = initializer.initialization(fanIn: 9 * 50, fanOut: 9 * 2222)
        let weights = Array<Float>(unsafeUninitializedCapacity: 200_000) { buffer, count in
            var random = CounterRandom(seed: 5, use: .initialization)
            initialization(UnsafeMutableBufferPointer(rebasing: buffer[..<200_000]), &random)
            count = 200_000
        }
        let keras = try #require(golden.paths["deviation|\(name)"]).elements[0]
        let (_, deviation, largest) = Self.moments(weights)
        #expect(abs(deviation / Double(keras) - 1) < 5 / (2 * 200_000.0).squareRoot())
        #expect(abs(largest / Double(try #require(golden.paths["largest|\(name)"]).elements[0]) - 1) < 1e-3)
    }

    @Test func denseCountsItsFans() throws {
        let network = try Network(
            Dense(700, kernelInitializer: .glorotUniform), input: [100], batch: 1, seed: 1)
        let (_, deviation, _) = Self.moments(try network.weight(named: "dense/kernel").elements)
        #expect(abs(deviation / (2.0 / 800).squareRoot() - 1) < 5 / (2 * 70_000.0).squareRoot())
    }

    @Test func constantsAndStates() throws {
        let model = Sequential {
            Conv2D(2, kernel: 1, kernelInitializer: .constant(0.5), biasInitializer: .ones)
            BatchNorm()
            Activation(.prelu(.perChannel))
            Flatten()
            Dense(1)
        }
        let network = try Network(model, input: [2, 2, 3], batch: 1)
        #expect(try network.weight(named: "conv2d/kernel").elements == Array(repeating: 0.5, count: 6))
        #expect(try network.weight(named: "conv2d/bias").elements == [1, 1])
        #expect(try network.weight(named: "batch_norm/gamma").elements == [1, 1])
        #expect(try network.weight(named: "batch_norm/beta").elements == [0, 0])
        #expect(try network.weight(named: "batch_norm/moving_mean").elements == [0, 0])
        #expect(try network.weight(named: "batch_norm/moving_variance").elements == [1, 1])
        #expect(try network.weight(named: "activation/slopes").elements == [0, 0])
    }

    @Test func theSeedDecides() throws {
        func weights(_ seed: UInt64) throws -> [Float] {
            let model = Sequential {
                Dense(6)
                Dense(6)
            }
            let network = try Network(model, input: [6], batch: 1, seed: seed)
            return try network.weight(named: "dense/kernel").elements + network.weight(named: "dense_1/kernel").elements
        }
        let first = try weights(1)
        #expect(try weights(1) == first)
        #expect(try weights(2) != first)
        #expect(first[..<36] != first[36...], "layers of the same shape start differently")
    }
}
