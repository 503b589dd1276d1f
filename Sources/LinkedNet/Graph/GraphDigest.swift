extension Graph {
    /// A fingerprint of the graph as the layers built it: labels of operations, names and shapes of parameters and
    /// states, and who reads whose output. Rewrites, algorithms, batch size and first weights have no part in it.
    var digest: String {
        var hash = SHA256()
        hash.update("input \(tensorShapes[0])\n".utf8)
        for node in nodes {
            let inputs = node.inputs.map { "\($0.index)" }.joined(separator: " ")
            let shape = tensorShapes[node.output.index]
            hash.update("\(node.output.index) = \(node.operation.label) of \(inputs) as \(shape)\n".utf8)
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
