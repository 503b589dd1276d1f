import LinkedNet

/// Training steps on one batch of random images.
final class RandomSteps {
    let network: Network
    let trainer: Trainer
    private let pixels: [Float]
    private let labels: [Int32]

    init(_ network: Network, optimizer: any Optimizer) throws {
        self.network = network
        trainer = try Trainer(network, optimizer: optimizer)
        var random = SystemRandomNumberGenerator()
        pixels = (0..<network.batchSize * network.inputShape.elementCount).map { _ in
            Float.random(in: 0..<1, using: &random)
        }
        labels = (0..<network.batchSize).map { _ in
            Int32.random(in: 0..<Int32(network.outputShape.elementCount), using: &random)
        }
    }

    /// Makes one step.
    func step() throws { try trainer.step(pixels: pixels, labels: labels) }

    /// The times of `count` steps, after `unmeasured` others.
    func milliseconds(_ count: Int, unmeasured: Int) throws -> [Double] {
        for _ in 0..<unmeasured { try step() }
        return try (0..<count).map { _ in try ContinuousClock().measure(step) / .milliseconds(1) }
    }
}
