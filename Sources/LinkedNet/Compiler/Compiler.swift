/// Rewrites a finished graph into the graph of a plan.
enum Compiler {
    /// - Throws: ``ShapeError`` for a batch below 1, a network without operations, sizes that overflow, or an operation
    ///   that the kernels refuse.
    static func compile(_ finished: Graph, fusion: Fusion, batch: Int) throws(ShapeError) -> Graph {
        var graph = finished
        guard batch >= 1 else {
            throw ShapeError(subject: "network", expected: "a batch size of at least 1", found: "\(batch)")
        }
        guard graph.output.index != 0 else {
            throw ShapeError(subject: "network", expected: "at least one layer that computes", found: "none")
        }
        try checkSizes(of: graph, batch: batch)
        graph.batch = batch
        for rewrite in Rewrites.ordered(fusion) { try rewrite.apply(to: &graph) }
        return graph
    }

    /// No machine has so much memory, and sums of sizes below this limit don't overflow.
    private static let mostBytes = 1 << 50

    private static func checkSizes(of graph: Graph, batch: Int) throws(ShapeError) {
        var bytes = 0
        let shapes = graph.tensorShapes.map { Shape([batch] + $0.dimensions) }
        for shape in shapes + graph.parameters.map(\.shape) + graph.states.map(\.shape) {
            let size = try shape.validated(as: "network at batch size \(batch)").elementCount
            let (sum, overflow) = bytes.addingReportingOverflow(size * MemoryLayout<Float>.stride)
            guard !overflow, sum < mostBytes else {
                throw ShapeError(
                    subject: "network at batch size \(batch)", expected: "sizes that fit in memory",
                    found: "more than \(mostBytes >> 40) TiB")
            }
            bytes = sum
        }
    }
}
