extension Graph {
    /// The graph with every run of at least two convolutions that a chain computes faster replaced by one node.
    ///
    /// A run is found from shapes alone: each convolution is the only reader of what the one before gives, and none but
    /// the first has a stride; that one may have one if nobody needs the gradient of its input. The outputs in between
    /// are not stored as tensors any more.
    func groupingConvolutions(output: TensorID, batch: Int) -> Graph {
        let needsGradient = Schedule(graph: self, output: output).tensorNeedsGradient
        let readers = tensorReaderCounts(output: output), parameterReaders = parameterReaderCounts()
        var chains: [[Int]] = []
        var chainEndingIn: [TensorID: Int] = [:]
        for (index, node) in nodes.enumerated() {
            guard let convolution = node.convolution, convolution.kernel.suitsChain(batch: batch),
                node.parameters.allSatisfy({ parameterReaders[$0.index] == 1 })
            else { continue }
            let input = node.inputs[0]
            if let chain = chainEndingIn[input], readers[input.index] == 1, !convolution.kernel.hasStride {
                chains[chain].append(index)
                chainEndingIn[node.output] = chain
            } else if !convolution.kernel.hasStride || !(needsGradient[input.index] || convolution.input.hasSlopes) {
                chains.append([index])
                chainEndingIn[node.output] = chains.count - 1
            }
        }

        return replacing(
            chains.filter { $0.count >= 2 }.compactMap { chain in
                chainNode(chain, inputNeedsGradient: { needsGradient[$0.index] }, batch: batch).map { (chain, $0) }
            })
    }

    /// How much of all nodes' outputs chains would give.
    func chainedShare(output: TensorID, batch: Int) -> Double {
        func elements(_ nodes: [Node]) -> Int { nodes.reduce(0) { $0 + tensorShapes[$1.output.index].elementCount } }
        let chained = groupingConvolutions(output: output, batch: batch).nodes.filter {
            $0.operation is ConvolutionChainOperation
        }
        return Double(elements(chained.flatMap(\.members))) / Double(max(elements(nodes), 1))
    }

    /// One node for the nodes `indices`, or `nil` if the kernels refuse.
    private func chainNode(_ indices: [Int], inputNeedsGradient: (TensorID) -> Bool, batch: Int) -> Node? {
        let members = indices.map { nodes[$0] }
        let convolutions = members.compactMap(\.convolution)
        let (first, last) = (members[0], members[members.count - 1])
        guard
            let kernel = ConvolutionChainKernel(
                convolutions.map { .init(kernel: $0.kernel, usesBias: $0.usesBias) },
                givesInputGradient: inputNeedsGradient(first.inputs[0]) || convolutions[0].input.hasSlopes, batch: batch
            )
        else { return nil }
        let outputs = members.dropLast().map { tensorShapes[$0.output.index].elementCount }
        return Node(
            name: "\(first.name) … \(last.name)",
            operation: ConvolutionChainOperation(kernel: kernel, largestOutput: outputs.max() ?? 0),
            inputs: first.inputs, output: last.output, parameters: members.flatMap(\.parameters), states: [],
            members: members)
    }
}
