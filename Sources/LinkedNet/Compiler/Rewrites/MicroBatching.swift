/// Chooses the largest number of samples of a micro-batch.
///
///     batch of 128                 4 micro-batches of 32
///     forward, loss, backward  ⇒   each forward, loss, backward; their gradients are added
///
/// Where no operation mixes samples, a training step may take a batch in several micro-batches and add up the
/// parameters' gradients. The tensors that a micro-batch saves for its backward pass then stay in the cache. Threads
/// can take a micro-batch each instead of meeting after every operation.
struct MicroBatching: Rewrite {
    /// The memory that a micro-batch may save. Where threads take a micro-batch each, the memory is more than a
    /// thread's share of a server's last-level cache. But work that is repeated for every micro-batch weighs more: 10
    /// MiB, 20 MiB and 36 MiB gave 174, 169 and 160 ms a step of ResNet50 on two threads.
    static let mostSavedBytes = 36 << 20

    /// The micro-batch of a network that is mostly chains: the images that a chain treats as one group. Threads share a
    /// chain by such groups in any case, and with this micro-batch the threads share nothing else.
    static let chainedSamples = 16

    func apply(to graph: inout Graph) { graph.microBatch = Self.size(for: graph) }

    /// The micro-batch size of a network compiled for a batch.
    private static func size(for graph: Graph) -> Int {
        let batch = graph.batch
        // The passes of several micro-batches share the states.
        guard graph.nodes.allSatisfy({ $0.operation.isSamplewise && $0.states.isEmpty }) else { return batch }
        let stride = MemoryLayout<Float>.stride
        let sampleBytes = graph.nodes.reduce(0) { $0 + graph.elementCount(of: $1.output) } * stride
        // Every micro-batch reads the parameters and adds to their gradients. This traffic has to stay small beside the
        // micro-batch's own tensors.
        let parameterBytes = graph.parameters.reduce(0) { $0 + $1.shape.elementCount } * stride
        func suits(_ samples: Int) -> Bool { samples >= 4 && parameterBytes * 4 <= samples * sampleBytes }
        if suits(chainedSamples), graph.chainedShare(microBatch: chainedSamples) >= 0.75 {
            return min(batch, chainedSamples)
        }
        let fitting = mostSavedBytes / sampleBytes
        guard sampleBytes * batch > 2 * mostSavedBytes, suits(fitting) else { return batch }
        // The number of micro-batches is a power of two, which divides well among threads. The micro-batches are of
        // about equal size, so that the last isn't a small one.
        var passes = 2
        while passes * fitting < batch { passes *= 2 }
        return (batch + passes - 1) / passes
    }
}
