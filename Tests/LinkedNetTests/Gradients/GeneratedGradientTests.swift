import Foundation
import Testing

@testable import LinkedNet

/// Gradients of networks that nobody chose.
@Suite struct GeneratedGradientTests {
    /// More of them: `LINKEDNET_GENERATED_NETWORKS=5000 swift test --filter GeneratedGradientTests`.
    private static let count =
        ProcessInfo.processInfo.environment["LINKEDNET_GENERATED_NETWORKS"].flatMap(UInt64.init) ?? 150

    @Test(arguments: 0..<count)
    func gradientsOfGeneratedNetworks(seed: UInt64) throws {
        var network = GeneratedNetwork(seed: seed)
        // The larger batch is one that chains suit, the larger image one that Winograd does.
        let batch = seed % 4 == 1 ? 16 : 3
        let input: Shape = seed % 4 == 2 ? [13, 12, 3] : [6, 5, 3]
        var check = try GradientCheck(network.layers(input: input), input: input, batch: batch, seed: seed)
        try check.run(.quick)
    }
}
