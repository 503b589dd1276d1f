/// A tensor that an operation adds, under an activation, to what it computes: the shortcut of a residual block.
struct Addend: Sendable {
    let activation: FusibleActivation
    let elementCount: Int
    private let kernel: ActivationKernel

    /// - Throws: ``ShapeError`` naming `name` if the kernels refuse the activation.
    init(activation: FusibleActivation, elementCount: Int, name: String) throws(ShapeError) {
        self.activation = activation
        self.elementCount = elementCount
        kernel = try ActivationKernel(activation, positions: 1, channels: elementCount, subject: name)
    }

    /// The gradient of the addend, input `input`, from that of the sum, unless another operation takes it along.
    func backward(_ context: OperationContext, input: Int) {
        guard let gradient = context.inputGradient(input) else { return }
        if activation == .identity {
            Elementwise.copy(
                count: context.batch * elementCount, context.outputGradient, out: gradient,
                accumulate: context.accumulatesInputGradient(input))
        } else {
            kernel.backward(
                batch: context.batch, z: context.input(input), slopes: nil, outGradient: context.outputGradient,
                zGradient: gradient, accumulate: context.accumulatesInputGradient(input), slopesGradient: nil,
                scratch: context.scratch)
        }
    }
}

/// An operation that can add a tensor of its output's shape to its output.
protocol AddendTaking: Operation {
    /// The operation with an addend as its last input; `nil` if it has one already.
    func adding(_ addend: Addend) -> (any Operation)?
}

extension Graph {
    /// The graph with sums computed by the operations that give their terms, where one of them can: the sum then costs
    /// one more read of the other term. An activation of that term is formed as it is read, and its gradient is taken
    /// along by a 1×1 convolution that reads the same activation, if there is one.
    ///
    /// - Parameter withActivations: false leaves activations to nodes of their own.
    func fusingSums(output: TensorID, withActivations: Bool) throws(ShapeError) -> Graph {
        var graph = self
        // Fusing one removes nodes, so that places change; sums that wait keep what they read and give.
        for sum in nodes where sum.operation is AddOperation {
            try graph.fuse(sum, output: output, withActivations: withActivations)
        }
        return graph
    }

    /// Removes a sum if one of its terms' operations can take it over.
    private mutating func fuse(_ sum: Node, output: TensorID, withActivations: Bool) throws(ShapeError) {
        let isUsed = tensorsUsed(for: output)
        guard sum.inputs[0] != sum.inputs[1], isUsed[sum.output.index] else { return }
        for (host, other) in [(sum.inputs[1], sum.inputs[0]), (sum.inputs[0], sum.inputs[1])] {
            guard let hostIndex = producer(of: host), let operation = nodes[hostIndex].operation as? any AddendTaking,
                readerCount(of: host) == 1, host.index != output.index
            else { continue }
            var term = other
            var activation = FusibleActivation.identity
            var activationIndex: Int?
            if withActivations, let otherIndex = producer(of: other),
                let own = nodes[otherIndex].operation as? ActivationOperation, let function = own.elementFunction
            {
                term = nodes[otherIndex].inputs[0]
                activation = function
                activationIndex = otherIndex
            }
            // The host has to run after what it adds.
            guard (producer(of: term) ?? -1) < hostIndex,
                let taking = operation.adding(
                    try Addend(
                        activation: activation, elementCount: tensorShapes[sum.output.index].elementCount,
                        name: sum.name))
            else { continue }
            nodes[hostIndex] = Node(
                name: nodes[hostIndex].name, operation: taking, inputs: nodes[hostIndex].inputs + [term],
                output: sum.output,
                parameters: nodes[hostIndex].parameters, states: nodes[hostIndex].states,
                gradientTaken: nodes[hostIndex].gradientTaken)
            if let taker = indexOfTaker(of: term, activation, before: hostIndex, isUsed) {
                nodes[taker].gradientTaken = sum.output
                nodes[hostIndex].withheldGradients = [nodes[hostIndex].inputs.count - 1]
            }
            nodes.removeAll { $0.output == sum.output && $0.operation is AddOperation }
            if let activationIndex, readerCount(of: other) == 0, other.index != output.index {
                nodes.remove(at: activationIndex)
            }
            return
        }
    }

    func producer(of tensor: TensorID) -> Int? { nodes.firstIndex { $0.output.index == tensor.index } }

    func readerCount(of tensor: TensorID) -> Int {
        nodes.reduce(0) { $0 + $1.inputs.count { $0.index == tensor.index } }
    }

    /// A 1×1 convolution of the same activation of the same tensor, that runs before (its backward pass after) and has
    /// one.
    private func indexOfTaker(
        of tensor: TensorID, _ activation: FusibleActivation, before end: Int, _ isUsed: [Bool]
    ) -> Int? {
        nodes[..<end].firstIndex { node in
            guard let operation = node.operation as? PointwiseOperation, node.gradientTaken == nil,
                isUsed[node.output.index]
            else { return false }
            return node.inputs[0].index == tensor.index && operation.input.function == activation
                && operation.kernel.readsEveryPixel
        }
    }
}
