/// Forward passes in evaluation mode, as many at once as the network has memories for.
final class InferencePasses: ConcurrentWork {
    private let network: Network
    private var batch: (pixels: UnsafePointer<Float>, count: Int)?

    init(_ network: Network) { self.network = network }

    /// The most samples of one call of ``run(pixels:count:)``.
    var mostSamples: Int { network.passSize * network.passMemories.count }

    /// Computes the outputs of `count` samples.
    func run(pixels: UnsafePointer<Float>, count: Int) {
        batch = (pixels, count)
        Runtime.run(self, parts: self.count, workers: network.passMemories.count)
    }

    /// How many passes the last call took.
    var count: Int { ((batch?.count ?? 0) + network.passSize - 1) / network.passSize }

    func firstSample(of pass: Int) -> Int { pass * network.passSize }

    func sampleCount(of pass: Int) -> Int { min(network.passSize, (batch?.count ?? 0) - firstSample(of: pass)) }

    /// What a pass of the last call gave, [samples] + ``Network/outputShape``.
    func output(of pass: Int) -> UnsafePointer<Float> { UnsafePointer(network.passMemories[pass].output) }

    override func run(_ pass: Int, worker: Int) {
        guard let batch else { return }
        // In a memory by the pass, not the worker: outputs are read when all are there.
        network.forward(
            input: batch.pixels + firstSample(of: pass) * network.inputShape.elementCount, count: sampleCount(of: pass),
            mode: .inference, in: network.passMemories[pass])
    }
}
