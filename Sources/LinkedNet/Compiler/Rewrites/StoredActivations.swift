/// Stores ReLU in place of its pre-activation, where every reader forms the ReLU and one of the readers is a 1×1
/// convolution.
///
///     BatchNorm                     BatchNorm → relu
///         │ z                           │ max(z, 0)
///     Conv2D 1×1 ← relu      ⇒      Conv2D 1×1 ← relu, stored
///
/// 1×1 convolutions then multiply the stored tensor, and pack nothing. ReLU has the same derivative at max(z, 0) as at
/// z.
struct StoredActivations: Rewrite {
    func apply(to graph: inout Graph) {
        let relu = FusibleActivation(members: [.init(function: .relu)]), uses = graph.uses
        for source in graph.nodes.indices {
            let tensor = graph.nodes[source].output
            guard let storing = graph.nodes[source].operation as? any ActivationStoring, tensor != graph.output
            else { continue }
            let readers = uses.readers(of: tensor)
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
    }
}
