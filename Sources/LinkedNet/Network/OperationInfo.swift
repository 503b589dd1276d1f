/// One operation of a compiled network.
public struct OperationInfo: Sendable {
    /// The path of the layer that added the operation.
    public let name: String
    /// The kind of operation: `Conv2D 3×3`.
    public let label: String
    /// The chosen algorithm, if there was a choice.
    public let algorithm: String?
    /// The shape of one output sample.
    public let outputShape: Shape
    /// For an activation computed by an operation of its own, the number of members of the linkage (1 without a
    /// linkage); the output's channels are member after member. `nil` for other operations.
    public let activationMemberCount: Int?
    /// The number of trained numbers that the operation reads.
    public let parameterCount: Int
    /// The size of the output for a whole micro-batch.
    public let outputBytes: Int
    /// True if the operation normalises the layer before it.
    let isNormalization: Bool
}

extension OperationInfo {
    /// A layer that a node computes.
    init(_ layer: ComputedLayer, in graph: Graph) {
        let shape = graph.tensorShapes[layer.output.index]
        self.init(
            name: layer.name, label: layer.label, algorithm: layer.algorithm, outputShape: shape,
            activationMemberCount: layer.activationMemberCount,
            parameterCount: layer.parameters.reduce(0) { $0 + graph.elementCount(of: $1) },
            outputBytes: graph.microBatch * shape.elementCount * MemoryLayout<Float>.stride,
            isNormalization: layer.isNormalization)
    }
}
