/// An operation that takes the place of several nodes of a graph, which stay visible as its members.
protocol GroupedOperation: Operation {
    /// How a member is computed, for the summary.
    func algorithm(ofMember member: Int) -> String?

    /// Calls `body` with the output of a member after ``Operation/forward(_:)``. It may use the scratch.
    func withOutput(ofMember member: Int, _ context: OperationContext, _ body: (UnsafePointer<Float>) -> Void)
}

extension Graph {
    /// The graph with groups of nodes each replaced by one that computes them together. It stands in the place of the
    /// group's last, where whatever the group reads is there.
    func replacing(_ groups: [(nodes: [Int], replacement: Node)]) -> Graph {
        var replacements: [Int: Node] = [:]
        var replaced: Set<Int> = []
        for group in groups {
            replacements[group.nodes[group.nodes.count - 1]] = group.replacement
            replaced.formUnion(group.nodes)
        }
        let kept = nodes.indices.filter { replacements[$0] != nil || !replaced.contains($0) }
        let newIndex = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
        var result = self
        result.nodes = kept.map { index in
            var node = replacements[index] ?? nodes[index]
            node.normalizer = node.normalizer.flatMap { newIndex[$0] }
            return node
        }
        return result
    }

    /// How many nodes read each tensor; being the graph's output counts as one more.
    func tensorReaderCounts(output: TensorID) -> [Int] {
        var counts = Array(repeating: 0, count: tensorShapes.count)
        counts[output.index] += 1
        for input in nodes.flatMap(\.inputs) { counts[input.index] += 1 }
        return counts
    }

    /// How many nodes read each parameter.
    func parameterReaderCounts() -> [Int] {
        var counts = Array(repeating: 0, count: parameters.count)
        for parameter in nodes.flatMap(\.parameters) { counts[parameter.index] += 1 }
        return counts
    }
}

extension Graph.Node {
    var convolution: WeightedOperation<ConvolutionKernel>? { operation as? WeightedOperation<ConvolutionKernel> }
    var dense: WeightedOperation<DenseKernel>? { operation as? WeightedOperation<DenseKernel> }
}
