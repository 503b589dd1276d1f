/// The names of a plan's buffers, for people.
struct BufferNames {
    private let tensors, parameters, states: [String]
    private let shares: [Buffer]

    /// A tensor has the name of the node that gives it, with a number where a layer gives several tensors.
    init(_ graph: Graph, shares: [Buffer]) {
        var tensors = graph.tensorShapes.indices.map { "tensor \($0)" }
        tensors[0] = "input"
        var counts: [String: Int] = [:]
        for node in graph.nodes { counts[node.name, default: 0] += 1 }
        for node in graph.nodes {
            tensors[node.output.index] = counts[node.name] == 1 ? node.name : "\(node.name)#\(node.output.index)"
        }
        self.tensors = tensors
        parameters = graph.parameters.map(\.name)
        states = graph.states.map(\.name)
        self.shares = shares
    }

    /// `conv2d`, `∂conv2d`, `conv2d/kernel`, `∂conv2d/kernel`, `batch_norm.terms`.
    subscript(buffer: Buffer) -> String {
        switch buffer {
        case .value(let tensor): tensors[tensor.index]
        case .gradient(let tensor): "∂" + tensors[tensor.index]
        case .parameter(let parameter): parameters[parameter.index]
        case .parameterGradient(let parameter): "∂" + parameters[parameter.index]
        case .state(let state): states[state.index]
        case .saved(let saved): "\(tensors[saved.owner.index]).\(saved.role)"
        case .share(let number): "share \(number) of \(self[shares[number]])"
        }
    }
}
