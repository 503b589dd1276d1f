/// The passes that take so many samples.
struct PassRanges {
    let samples: Int
    let passSize: Int

    var count: Int { (samples + passSize - 1) / passSize }

    /// The samples of a pass.
    subscript(pass: Int) -> Range<Int> { pass * passSize..<min((pass + 1) * passSize, samples) }
}

/// How many samples a pass takes at most.
///
/// Where no operation mixes samples, a training step may take a batch in several passes, each forward and backward, and
/// add up the parameters' gradients. What a pass keeps for its backward half then stays in the cache, and threads can
/// take a pass each instead of meeting after every operation.
enum PassSize {
    /// What a pass may keep. Where threads take a pass each, this is more than their shares of a server's last-level
    /// cache, but what is repeated for every pass weighs more: 10 MiB, 20 MiB and 36 MiB gave 174, 169 and 160 ms a
    /// step of ResNet50 on two threads.
    static let keptBytes = 36 << 20

    /// A pass of a network that is mostly chains: what a chain treats as one group. Threads share a chain by such
    /// groups anyway, and this way they share nothing else.
    static let chainedSamples = 16

    /// The pass size of a network compiled for `batch` samples.
    static func of(_ graph: Graph, output: TensorID, batch: Int) -> Int {
        guard graph.nodes.allSatisfy(\.operation.treatsSamplesAlone) else { return batch }
        let stride = MemoryLayout<Float>.stride
        let sampleBytes = graph.nodes.reduce(0) { $0 + graph.tensorShapes[$1.output.index].elementCount } * stride
        // Every pass reads the parameters and adds to their gradients; that has to stay little beside its own tensors.
        let parameterBytes = graph.parameters.reduce(0) { $0 + $1.shape.elementCount } * stride
        func suits(_ samples: Int) -> Bool { samples >= 4 && parameterBytes * 4 <= samples * sampleBytes }
        if suits(chainedSamples), graph.chainedShare(output: output, batch: chainedSamples) >= 0.75 {
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
