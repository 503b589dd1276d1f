extension Graph {
    /// A digest of the graph as the layers built the graph: identities of operations, names and shapes of parameters
    /// and states, and the connections of operations. The digest doesn't depend on rewrites, algorithms, batch size and
    /// first weights.
    var digest: String {
        var hash = SHA256()
        hash.update("input \(tensorShapes[0])\n".utf8)
        for node in nodes {
            let inputs = node.inputs.map { "\($0.index)" }.joined(separator: " ")
            let shape = tensorShapes[node.output.index]
            hash.update("\(node.output.index) = \(node.operation.identity) of \(inputs) as \(shape)\n".utf8)
            for parameter in node.parameters.map({ parameters[$0.index] }) {
                hash.update("  parameter \(parameter.name) \(parameter.shape)\n".utf8)
            }
            for state in node.states.map({ states[$0.index] }) {
                hash.update("  state \(state.name) \(state.shape)\n".utf8)
            }
        }
        hash.update("output \(output.index)\n".utf8)
        return hash.finalize()
    }
}
