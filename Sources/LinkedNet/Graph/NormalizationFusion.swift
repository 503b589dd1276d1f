extension Graph {
    /// The graph with the gradient of what a BatchNorm reads formed by the 1×1 convolution that gave it, as that reads the gradient of the
    /// BatchNorm's output: it is never stored.
    func leavingNormalizationGradients(output: TensorID) -> Graph {
        var graph = self
        for index in graph.nodes.indices {
            let node = graph.nodes[index]
            guard let norm = node.operation as? BatchNormOperation, let source = graph.producer(of: node.inputs[0]),
                let convolution = graph.nodes[source].operation as? PointwiseOperation,
                graph.readerCount(of: node.inputs[0]) == 1, node.inputs[0].index != output.index
            else { continue }
            graph.nodes[index].operation = norm.leavingGradient
            graph.nodes[index].withheldGradients.append(0)
            graph.nodes[source].operation = convolution.normalized
            graph.nodes[source].normalizer = index
        }
        return graph
    }
}
