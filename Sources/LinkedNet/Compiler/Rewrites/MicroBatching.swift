/// Chooses how many samples a pass takes at most.
///
///     batch of 128                 4 micro-batches of 32
///     forward, loss, backward  ⇒   each forward, loss, backward; their gradients are added
///
/// Where no operation mixes samples, a training step may take a batch in several passes, each forward and backward, and
/// add up the parameters' gradients. What a pass keeps for its backward half then stays in the cache, and threads can
/// take a pass each instead of meeting after every operation.
struct MicroBatching: Rewrite {
    /// What a pass may keep. Where threads take a pass each, this is more than their shares of a server's last-level
    /// cache, but what is repeated for every pass weighs more: 10 MiB, 20 MiB and 36 MiB gave 174, 169 and 160 ms a
    /// step of ResNet50 on two threads.
    static let keptBytes = 36 << 20

    /// A pass of a network that is mostly chains: what a chain treats as one group. Threads share a chain by such
    /// groups anyway, and this way they share nothing else.
    static let chainedSamples = 16

    func apply(to graph: inout Graph) { graph.microBatch = Self.size(for: graph) }

    /// The pass size of a network compiled for a batch.
    private static func size(for graph: Graph) -> Int {
        let batch = graph.batch
        guard graph.nodes.allSatisfy(\.operation.isSamplewise) else { return batch }
        let stride = MemoryLayout<Float>.stride
        let sampleBytes = graph.nodes.reduce(0) { $0 + graph.elementCount(of: $1.output) } * stride
        // Every pass reads the parameters and adds to their gradients; that has to stay little beside its own tensors.
        let parameterBytes = graph.parameters.reduce(0) { $0 + $1.shape.elementCount } * stride
        func suits(_ samples: Int) -> Bool { samples >= 4 && parameterBytes * 4 <= samples * sampleBytes }
        if suits(chainedSamples), graph.chainedShare(microBatch: chainedSamples) >= 0.75 {
            return min(batch, chainedSamples)
        }
        let fitting = keptBytes / sampleBytes
        guard sampleBytes * batch > 2 * keptBytes, suits(fitting) else { return batch }
        // A power of two of them, which divides well among threads, and of about equal size, so that the last isn't a
        // small one.
        var passes = 2
        while passes * fitting < batch { passes *= 2 }
        return (batch + passes - 1) / passes
    }
}
