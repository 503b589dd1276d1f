/// An operation that can put its output through an activation before it stores it.
protocol ActivationStoring: Operation {
    /// The operation that stores `activation`, which has one member without slopes, of what this one gives.
    func storing(_ activation: FusibleActivation) -> any Operation
}

/// An operation that forms activations of its inputs as it reads them.
protocol ActivationReading: Operation {
    /// What it forms of input `index`; `nil` if that has learned slopes.
    func activation(ofInput index: Int) -> FusibleActivation?

    /// The operation where input `index` holds its activation, which is idempotent, already.
    func readingStoredActivation(ofInput index: Int) -> any Operation
}

extension ActivationReading {
    /// Applied twice, it is what it is applied once.
    func readingStoredActivation(ofInput index: Int) -> any Operation { self }
}

extension Graph {
    /// The graph with ReLU stored in place of its pre-activation, where all who read that form the ReLU, a 1×1
    /// convolution is among them, and the operation that gives it can: the 1×1 convolutions then multiply what is
    /// stored, and pack nothing. The derivative at max(z, 0) is that at z.
    func storingActivations(output: TensorID) -> Graph {
        let relu = FusibleActivation(members: [.init(function: .relu)])
        var graph = self
        for source in graph.nodes.indices {
            let tensor = graph.nodes[source].output
            guard let storing = graph.nodes[source].operation as? any ActivationStoring, tensor.index != output.index
            else { continue }
            let readers = graph.readers(of: tensor)
            guard readers.contains(where: { graph.nodes[$0.node].operation is PointwiseOperation }),
                readers.allSatisfy({ reader in
                    let operation = graph.nodes[reader.node].operation as? any ActivationReading
                    return operation?.activation(ofInput: reader.input) == relu
                })
            else { continue }
            graph.nodes[source].operation = storing.storing(relu)
            for reader in readers {
                guard let operation = graph.nodes[reader.node].operation as? any ActivationReading else { continue }
                graph.nodes[reader.node].operation = operation.readingStoredActivation(ofInput: reader.input)
            }
        }
        return graph
    }

    /// Which nodes read a tensor, and as which of their inputs.
    private func readers(of tensor: TensorID) -> [(node: Int, input: Int)] {
        nodes.indices.flatMap { node in
            nodes[node].inputs.indices.filter { nodes[node].inputs[$0].index == tensor.index }.map { (node, $0) }
        }
    }
}
