/// Moves each sum into an operation that gives a term of the sum. A sum then costs one more read of the other term.
///
///     x ──────────┐               x ───────┐
///     │           │               │        │
///     Conv2D    relu         Conv2D + relu of shortcut
///     │           │       ⇒       │
///     └──── Add ──┘               y
///            │
///            y
///
/// The operation forms an activation of the other term while it reads the term. Where a 1×1 convolution reads the same
/// activation of the same tensor, the convolution's backward pass adds the shortcut's gradient.
struct FusedSums: Rewrite {
    /// False leaves activations to nodes of their own.
    let withActivations: Bool

    func apply(to graph: inout Graph) throws(ShapeError) {
        // Fusing a sum removes nodes, and the nodes' indices change. Sums that wait keep their inputs and outputs.
        for sum in graph.nodes where sum.operation is AddOperation { try fuse(sum, in: &graph) }
    }

    /// Removes a sum if the operation of one of its terms can compute the sum.
    private func fuse(_ sum: Graph.Node, in graph: inout Graph) throws(ShapeError) {
        let uses = graph.uses
        guard sum.inputs[0] != sum.inputs[1], uses.isUsed(sum.output) else { return }
        for (host, other) in [(sum.inputs[1], sum.inputs[0]), (sum.inputs[0], sum.inputs[1])] {
            guard let hostIndex = uses.producer(of: host), uses.soleReader(of: host) != nil,
                let operation = graph.nodes[hostIndex].operation as? any AddendTaking
            else { continue }
            let term = shortcut(other, in: graph, uses)
            // The host has to run after the node that gives the term.
            guard (uses.producer(of: term.tensor) ?? -1) < hostIndex else { continue }
            var addend = try Addend(
                activation: term.activation, elementCount: graph.elementCount(of: sum.output), name: sum.name)
            let taker = taker(of: term.tensor, term.activation, before: hostIndex, in: graph, uses)
            addend.gradientIsTaken = taker != nil
            guard let adding = operation.adding(addend) else { continue }
            if let taker, var convolution = graph.nodes[taker].operation as? PointwiseOperation {
                convolution.takenGradient = sum.output
                graph.nodes[taker].operation = convolution
            }
            graph.nodes[hostIndex].operation = adding
            graph.nodes[hostIndex].inputs.append(term.tensor)
            graph.nodes[hostIndex].output = sum.output
            graph.nodes.removeAll { $0.output == sum.output && $0.operation is AddOperation }
            let usesNow = graph.uses
            if term.tensor != other, let activation = usesNow.producer(of: other), usesNow.isUnread(other) {
                graph.nodes.remove(at: activation)
            }
            return
        }
    }

    /// The term that a sum adds to its host: a tensor, under an activation.
    private func shortcut(
        _ tensor: TensorID, in graph: Graph, _ uses: GraphUses
    ) -> (tensor: TensorID, activation: FusibleActivation) {
        guard withActivations, let producer = uses.producer(of: tensor),
            let activation = graph.nodes[producer].operation as? ActivationOperation,
            let function = activation.elementFunction
        else { return (tensor, .identity) }
        return (graph.nodes[producer].inputs[0], function)
    }

    /// A 1×1 convolution of the same activation of the same tensor. The convolution runs before the host, so that the
    /// convolution's backward steps run after the host's. A convolution takes one gradient.
    private func taker(
        of tensor: TensorID, _ activation: FusibleActivation, before end: Int, in graph: Graph, _ uses: GraphUses
    ) -> Int? {
        graph.nodes[..<end].firstIndex { node in
            guard let operation = node.operation as? PointwiseOperation, operation.takenGradient == nil,
                uses.isUsed(node.output)
            else { return false }
            return node.inputs[0] == tensor && operation.input.function == activation
                && operation.kernel.readsEveryPixel
        }
    }
}
