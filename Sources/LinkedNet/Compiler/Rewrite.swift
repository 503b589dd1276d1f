/// A change of a graph that keeps the network's results: fewer or faster nodes, or a choice that the plan needs.
protocol Rewrite {
    /// - Throws: ``ShapeError`` if the kernels refuse an operation that the rewrite makes or chooses.
    func apply(to graph: inout Graph) throws(ShapeError)
}

enum Rewrites {
    /// All rewrites, in the order in which they are applied.
    ///
    /// Sums come first, because a node that takes over a sum changes its output. The size of a micro-batch follows from
    /// the tensors that are still stored. Algorithms, chains and pairs depend on the size of a micro-batch.
    static func ordered(_ fusion: Fusion) -> [any Rewrite] {
        guard fusion != .nothing else { return [MicroBatching(), AlgorithmChoice()] }
        return [
            FusedSums(withActivations: fusion == .everything),
            SharedNormalizations(),
            StoredActivations(),
            MicroBatching(),
            AlgorithmChoice(),
            ConvolutionChains(),
            ConvolutionsIntoDense(),
        ]
    }
}

extension Graph {
    /// Replaces each group of nodes by one node that computes them together. The new node takes the place of the
    /// group's last node, because all tensors that the group reads are computed before this place.
    mutating func replace(_ groups: [(nodes: [Int], replacement: Node)]) {
        var replacements: [Int: Node] = [:]
        var replaced: Set<Int> = []
        for group in groups {
            replacements[group.nodes[group.nodes.count - 1]] = group.replacement
            replaced.formUnion(group.nodes)
        }
        nodes = nodes.indices.compactMap { replacements[$0] ?? (replaced.contains($0) ? nil : nodes[$0]) }
    }
}
