/// Forward passes in evaluation mode, as many at once as the network has workspaces.
final class InferenceMicroBatches: ConcurrentWork {
    private let network: Network
    private var pixels: UnsafePointer<Float>?
    /// The micro-batches of the last call.
    private(set) var ranges: MicroBatches

    init(_ network: Network) {
        self.network = network
        ranges = MicroBatches(samples: 0, size: network.microBatchSize)
    }

    /// The most samples of one call of ``run(pixels:count:)``.
    var mostSamples: Int { network.microBatchSize * network.workspaces.count }

    /// Computes the outputs of `count` samples.
    func run(pixels: UnsafePointer<Float>, count: Int) {
        self.pixels = pixels
        ranges = MicroBatches(samples: count, size: network.microBatchSize)
        Runtime.run(self, parts: ranges.count, workers: network.workspaces.count)
    }

    /// The output of a pass of the last call, [samples] + ``Network/outputShape``.
    func output(of pass: Int) -> UnsafePointer<Float> { UnsafePointer(network.workspaces[pass].output) }

    override func run(_ pass: Int, worker: Int) {
        guard let pixels else { return }
        // Each pass has a workspace, and not each worker, because the caller reads the outputs after all passes.
        network.forward(
            input: pixels + ranges[pass].lowerBound * network.inputShape.elementCount, count: ranges[pass].count,
            mode: .inference,
            in: network.workspaces[pass])
    }
}
