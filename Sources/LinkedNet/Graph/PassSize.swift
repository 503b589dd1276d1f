/// How many samples a pass takes at most.
///
/// Where no operation mixes samples, a training step may take a batch in several passes, each forward and backward, and add up the
/// parameters' gradients. What a pass keeps for its backward half then stays in the cache, and the arena needs room for one pass only.
enum PassSize {
    /// What a pass may keep. Most of a server's last-level cache has to hold it.
    static let keptBytes = 36 << 20

    /// The pass size of a network compiled for `batch` samples.
    static func of(_ graph: Graph, batch: Int) -> Int {
        guard graph.nodes.allSatisfy(\.operation.treatsSamplesAlone) else { return batch }
        let stride = MemoryLayout<Float>.stride
        let sampleBytes = graph.nodes.reduce(0) { $0 + graph.tensorShapes[$1.output.index].elementCount } * stride
        guard sampleBytes * batch > 2 * keptBytes else { return batch }
        // Every pass reads the parameters and adds to their gradients; that has to stay little beside its own tensors.
        let parameterBytes = graph.parameters.reduce(0) { $0 + $1.shape.elementCount } * stride
        let fitting = keptBytes / sampleBytes
        guard fitting >= 4, parameterBytes * 4 <= fitting * sampleBytes else { return batch }
        // Sizes that divide well among threads, and passes of about equal size, so that the last isn't a small one.
        let multiple = fitting >= 8 ? 8 : 1
        let passes = (batch + fitting / multiple * multiple - 1) / (fitting / multiple * multiple)
        return ((batch + passes - 1) / passes + multiple - 1) / multiple * multiple
    }
}
