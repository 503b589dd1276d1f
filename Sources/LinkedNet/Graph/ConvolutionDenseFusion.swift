extension Graph {
    /// The graph with every convolution and dense layer after it that are better computed together replaced by one
    /// node.
    ///
    /// Such a pair is found from shapes alone: nobody needs the gradient of the convolution's input, which has no
    /// activation pending, and the dense layer is the only reader of what it gives, through an activation without
    /// learned slopes. The output in between is not stored as a tensor any more.
    func fusingConvolutionsWithDense(output: TensorID, batch: Int) -> Graph {
        let needsGradient = Schedule(graph: self, output: output).tensorNeedsGradient
        let readers = tensorReaderCounts(output: output), parameterReaders = parameterReaderCounts()
        let givenBy = Dictionary(uniqueKeysWithValues: nodes.indices.map { (nodes[$0].output, $0) })
        var pairs: [(nodes: [Int], replacement: Node)] = []
        for (index, node) in nodes.enumerated() {
            guard let dense = node.dense, !dense.input.hasSlopes, readers[node.inputs[0].index] == 1,
                let first = givenBy[node.inputs[0]], let convolution = nodes[first].convolution,
                convolution.kernel.suitsFusionWithDense(batch: batch), !convolution.input.hasSlopes,
                !needsGradient[nodes[first].inputs[0].index],
                (nodes[first].parameters + node.parameters).allSatisfy({ parameterReaders[$0.index] == 1 }),
                let kernel = ConvolutionDenseKernel(convolution.kernel, into: dense.kernel, batch: batch)
            else { continue }
            let members = [nodes[first], node]
            let operation = ConvolutionDenseOperation(kernel: kernel, usesBias: (convolution.usesBias, dense.usesBias))
            pairs.append(
                (
                    nodes: [first, index],
                    replacement: Node(
                        name: "\(members[0].name) … \(node.name)", operation: operation, inputs: members[0].inputs,
                        output: node.output, parameters: members.flatMap(\.parameters), states: [], members: members)
                ))
        }
        return replacing(pairs)
    }
}
