extension Graph {
    /// The graph with every run of at least two convolutions that a chain computes faster replaced by one node.
    ///
    /// A run is found from shapes alone: each convolution is the only reader of what the one before gives, and none but the first has a
    /// stride; that one may have one if nobody needs the gradient of its input. The outputs in between are not stored as
    /// tensors any more.
    func groupingConvolutions(output: TensorID, batch: Int) -> Graph {
        let needsGradient = Schedule(graph: self, output: output).tensorNeedsGradient
        var readers = Array(repeating: 0, count: tensorShapes.count)
        readers[output.index] += 1
        var parameterReaders = Array(repeating: 0, count: parameters.count)
        for node in nodes {
            for input in node.inputs { readers[input.index] += 1 }
            for parameter in node.parameters { parameterReaders[parameter.index] += 1 }
        }

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

        var result = self
        var replacements: [Int: Node] = [:]
        var replaced: Set<Int> = []
        for chain in chains where chain.count >= 2 {
            guard let node = chainNode(chain, inputNeedsGradient: { needsGradient[$0.index] }, batch: batch) else { continue }
            // In the last one's place: whatever the chain reads is there by then.
            replacements[chain[chain.count - 1]] = node
            replaced.formUnion(chain)
        }
        let kept = nodes.indices.filter { replacements[$0] != nil || !replaced.contains($0) }
        let newIndex = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
        result.nodes = kept.map { index in
            var node = replacements[index] ?? nodes[index]
            node.normalizer = node.normalizer.flatMap { newIndex[$0] }
            return node
        }
        return result
    }

    /// One node for the nodes `indices`, or `nil` if the kernels refuse.
    private func chainNode(_ indices: [Int], inputNeedsGradient: (TensorID) -> Bool, batch: Int) -> Node? {
        let members = indices.map { nodes[$0] }
        let convolutions = members.compactMap(\.convolution)
        let (first, last) = (members[0], members[members.count - 1])
        guard
            let kernel = ConvolutionChainKernel(
                convolutions.map { .init(kernel: $0.kernel, usesBias: $0.usesBias) },
                givesInputGradient: inputNeedsGradient(first.inputs[0]) || convolutions[0].input.hasSlopes, batch: batch)
        else { return nil }
        let outputs = members.dropLast().map { tensorShapes[$0.output.index].elementCount }
        return Node(
            name: "\(first.name) … \(last.name)",
            operation: ConvolutionChainOperation(kernel: kernel, largestOutput: outputs.max() ?? 0),
            inputs: first.inputs, output: last.output, parameters: members.flatMap(\.parameters), states: [],
            members: members)
    }
}

extension Graph.Node {
    fileprivate var convolution: WeightedOperation<ConvolutionKernel>? { operation as? WeightedOperation<ConvolutionKernel> }
}
