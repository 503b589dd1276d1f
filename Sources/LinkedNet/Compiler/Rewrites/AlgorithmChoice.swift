/// Lets every operation choose its algorithm for the graph's micro-batch.
///
///     Conv2D 3×3            Conv2D 3×3, winograd
///         │         ⇒           │
///     Conv2D 5×5            Conv2D 5×5, direct
struct AlgorithmChoice: Rewrite {
    func apply(to graph: inout Graph) throws(ShapeError) {
        let calls = OperationCalls(batch: graph.microBatch, isSingleThreaded: graph.microBatch < graph.batch)
        for index in graph.nodes.indices {
            try graph.nodes[index].operation.prepare(for: calls, name: graph.nodes[index].name)
        }
    }
}
