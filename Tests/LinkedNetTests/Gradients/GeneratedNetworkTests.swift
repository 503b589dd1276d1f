import Foundation
import Testing

@testable import LinkedNet

/// Random networks.
@Suite struct GeneratedNetworkTests {
    /// The number of networks. For more: `LINKEDNET_GENERATED_NETWORKS=20000 swift test --filter
    /// GeneratedNetworkTests`.
    private static let count =
        ProcessInfo.processInfo.environment["LINKEDNET_GENERATED_NETWORKS"].flatMap(UInt64.init) ?? 500

    /// The first seeds. Besides, of the first 20,000 networks: a network whose classes are certain with the first
    /// weights, and the networks whose gradients move the most with roundings.
    private static let seeds =
        Array(0..<count) + [2_672, 12_781, 13_318, 14_271, 15_879, 16_969].filter { $0 >= count }

    private static func layers(_ seed: UInt64, input: Shape) throws -> [any Layer] {
        var generated = GeneratedNetwork(seed: seed)
        return try generated.layers(input: input)
    }

    /// A check of network `seed`, with weights and an input that are far from kinks and give no certain classes.
    private static func check(_ seed: UInt64, fusion: Fusion = .everything) throws -> GradientCheck {
        // The larger batch suits chains, and the larger image suits Winograd.
        let batch = seed % 4 == 1 ? 16 : 3
        let input: Shape = seed % 4 == 2 ? [13, 12, 3] : [6, 5, 3]
        let layers = try layers(seed, input: input)
        for attempt in 0..<UInt64(16) {
            var check = try GradientCheck(
                layers, input: input, batch: batch, seed: seed | attempt << 32, fusion: fusion)
            if try !check.isSaturated(), try !check.isNearKink() { return check }
        }
        throw ReferenceError(description: "kinks too close to all weights that were tried, or certain classes")
    }

    @Test(arguments: seeds)
    func gradientsAreThoseOfTheReference(seed: UInt64) throws {
        var check = try Self.check(seed)
        try check.run(.quick)
    }

    /// A training pass gives the results of the same network without fusion.
    @Test(arguments: seeds)
    func passesAreThoseWithoutFusion(seed: UInt64) throws {
        var check = try Self.check(seed)
        try check.expectSame(as: Self.check(seed, fusion: .nothing))
    }

    /// An evaluation after some steps, which move BatchNorm's running statistics, gives the results of the same network
    /// without fusion.
    @Test(arguments: seeds)
    func predictionsAreThoseWithoutFusion(seed: UInt64) throws {
        let input: Shape = [6, 5, 3]
        let layers = try Self.layers(seed, input: input)
        let networks = try [Fusion.everything, .nothing].map {
            try Network(Sequential { layers }, input: input, batch: 4, seed: seed, fusion: $0)
        }
        networks[0].disturbParameters()
        let trainer = try Trainer(networks[0], optimizer: SGD(learningRate: 1e-3))
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2003))
        let pixels = (0..<7 * input.elementCount).map { _ in Float(random.normal()) }
        let batch = Array(pixels.prefix(4 * input.elementCount))
        for _ in 0..<3 { try trainer.step(pixels: batch, labels: [0, 1, 2, 0]) }
        _ = networks[1].parameters.update(fromContentsOf: networks[0].parameters)
        _ = networks[1].states.update(fromContentsOf: networks[0].states)

        let images = try Tensor(shape: Shape([7] + input.dimensions), elements: pixels)
        let predictions = try networks.map { try $0.predict(images) }
        #expect(predictions[0].elements.contains { abs($0) > 1e-3 })
        expectClose(predictions[0].elements, predictions[1], "seed \(seed)", roundings: 2048)
    }

    /// Diagnostics see every activation, in spite of all other fusions of the network.
    @Test(arguments: seeds)
    func everyActivationIsSeen(seed: UInt64) throws {
        let layers = try Self.layers(seed, input: [6, 5, 3])
        let network = try Network(
            Sequential { layers }, input: [6, 5, 3], batch: 3, seed: seed, fusesActivations: false)
        #expect(network.operations.count { $0.activationMemberCount != nil } == Self.activationCount(layers))
    }

    private static func activationCount(_ layers: [any Layer]) -> Int {
        layers.reduce(0) { count, layer in
            switch layer {
            case is Activation, is LinkedActivation: count + 1
            case let layer as Sequential: count + activationCount(layer.layers)
            case let layer as Residual: count + activationCount(layer.body + (layer.projection ?? []))
            case let layer as Concat: count + activationCount(layer.branches)
            case let layer as Shared: count + activationCount([layer.layer])
            case let layer as Reread: count + activationCount(layer.body)
            case let layer as ReadInside: count + activationCount(layer.readers)
            default: count
            }
        }
    }
}
