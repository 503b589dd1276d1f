import Foundation
import Testing

@testable import LinkedNet

/// Networks that nobody chose.
@Suite struct GeneratedNetworkTests {
    /// More of them: `LINKEDNET_GENERATED_NETWORKS=5000 swift test --filter GeneratedNetworkTests`.
    private static let count =
        ProcessInfo.processInfo.environment["LINKEDNET_GENERATED_NETWORKS"].flatMap(UInt64.init) ?? 150

    @Test(arguments: 0..<count)
    func gradientsAreThoseOfTheReference(seed: UInt64) throws {
        var network = GeneratedNetwork(seed: seed)
        // The larger batch is one that chains suit, the larger image one that Winograd does.
        let batch = seed % 4 == 1 ? 16 : 3
        let input: Shape = seed % 4 == 2 ? [13, 12, 3] : [6, 5, 3]
        var check = try GradientCheck(network.layers(input: input), input: input, batch: batch, seed: seed)
        try check.run(.quick)
    }

    /// After some steps, which move BatchNorm's running statistics, against the same layers with every activation
    /// computed for itself.
    @Test(arguments: 0..<count)
    func predictionsAreThoseWithoutFusion(seed: UInt64) throws {
        var generated = GeneratedNetwork(seed: seed)
        let input: Shape = [6, 5, 3]
        let layers = try generated.layers(input: input)
        let networks = try [true, false].map {
            try Network(Sequential { layers }, input: input, batch: 4, seed: seed, fusesActivations: $0)
        }
        networks[0].disturbParameters()
        let trainer = try Trainer(networks[0], optimizer: SGD(learningRate: 1e-3))
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2003))
        let pixels = (0..<7 * input.elementCount).map { _ in Float(random.normal()) }
        for _ in 0..<3 { try trainer.step(pixels: pixels, labels: [0, 1, 2, 0], count: 4) }
        _ = networks[1].parameters.update(fromContentsOf: networks[0].parameters)
        _ = networks[1].states.update(fromContentsOf: networks[0].states)

        let images = try Tensor(shape: Shape([7] + input.dimensions), elements: pixels)
        let predictions = try networks.map { try $0.predict(images) }
        #expect(predictions[0].elements.contains { abs($0) > 1e-3 })
        expectClose(predictions[0].elements, predictions[1], "seed \(seed)", roundings: 2048)
    }
}
