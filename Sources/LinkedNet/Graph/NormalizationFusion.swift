extension Graph {
    /// The graph with the moments of what a BatchNorm reads found by the 1×1 convolution that gives it, as it gives it,
    /// and the gradient formed by that as it reads the gradient of the BatchNorm's output: the one is read once less,
    /// the other never stored. A convolution that adds a shortcut is no such one: the shortcut's gradient is that of
    /// the BatchNorm's input, too, and has to be stored for it.
    func sharingNormalizations(output: TensorID) -> Graph {
        var graph = self
        for index in graph.nodes.indices {
            let node = graph.nodes[index]
            guard let norm = node.operation as? BatchNormOperation, let source = graph.producer(of: node.inputs[0]),
                let convolution = graph.nodes[source].operation as? PointwiseOperation, !convolution.addsShortcut,
                graph.readerCount(of: node.inputs[0]) == 1, node.inputs[0].index != output.index
            else { continue }
            graph.nodes[index].operation = norm.sharing(with: convolution)
            graph.nodes[index].withheldGradients.append(0)
            graph.nodes[source].operation = convolution.normalized
            graph.nodes[source].normalizer = index
        }
        return graph
    }
}
