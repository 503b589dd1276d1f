/// Computes a convolution and the dense layer after it as one node, where one node is faster.
///
///     image                              image
///       │                                  │
///     Conv2D                  ⇒      Conv2D into Dense
///       │                                  │
///     Dense ← mirrored relu
///
/// The rewrite finds a pair from shapes alone. No node needs the gradient of the convolution's input, and no activation
/// is pending on the input. The dense layer alone reads the convolution, through an activation without
/// learned slopes. The output in between is no longer stored as a tensor.
struct ConvolutionsIntoDense: Rewrite {
    func apply(to graph: inout Graph) {
        let uses = graph.uses
        graph.replace(
            graph.nodes.indices.compactMap { dense in
                guard graph.nodes[dense].dense != nil,
                    let convolution = uses.producer(of: graph.nodes[dense].inputs[0])
                else { return nil }
                return replacement(convolution, dense, in: graph, uses).map { ([convolution, dense], $0) }
            })
    }

    /// One node for a convolution and its reader, or `nil` if the two are no such pair.
    private func replacement(_ first: Int, _ second: Int, in graph: Graph, _ uses: GraphUses) -> Graph.Node? {
        let (source, reader) = (graph.nodes[first], graph.nodes[second])
        guard let convolution = source.convolution, let dense = reader.dense,
            uses.soleReader(of: source.output) != nil,
            convolution.kernel.suitsFusionWithDense(batch: graph.microBatch),
            !uses.needsGradient(source.inputs[0]), uses.areReadOnce(source.parameters + reader.parameters),
            let kernel = ConvolutionDenseKernel(convolution.kernel, into: dense.kernel, batch: graph.microBatch)
        else { return nil }
        return Graph.Node(
            name: "\(source.name) … \(reader.name)",
            operation: ConvolutionDenseOperation(
                kernel: kernel, convolution: ComputedLayer(source), dense: ComputedLayer(reader),
                usesBias: (convolution.usesBias, dense.usesBias)),
            inputs: source.inputs, output: reader.output, parameters: source.parameters + reader.parameters,
            states: [])
    }
}
