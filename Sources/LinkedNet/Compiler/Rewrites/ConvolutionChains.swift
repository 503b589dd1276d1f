/// Computes a run of at least two convolutions as one chain, where a chain is faster.
///
///     Conv2D 3×3
///         │                    Conv2D chain
///     Conv2D 3×3 ← relu    ⇒   (three layers)
///         │
///     Conv2D 3×3 ← relu
///
/// The rewrite finds a run from shapes alone. Each convolution is the only reader of the convolution before. Only the
/// first convolution may have a stride, and only if no node needs the gradient of its input and no slopes are
/// learned for its input. The outputs in between are
/// no longer stored as tensors.
struct ConvolutionChains: Rewrite {
    func apply(to graph: inout Graph) {
        let uses = graph.uses
        graph.replace(
            runs(in: graph, uses).filter { $0.count >= 2 }.compactMap { run in
                replacement(run, in: graph, uses).map { (run, $0) }
            })
    }

    /// The nodes of each run.
    private func runs(in graph: Graph, _ uses: GraphUses) -> [[Int]] {
        var runs: [[Int]] = []
        var runEndingIn: [TensorID: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            guard let convolution = node.convolution, convolution.kernel.suitsChain(batch: graph.microBatch),
                uses.areReadOnce(node.parameters)
            else { continue }
            let input = node.inputs[0]
            if let run = runEndingIn[input], uses.soleReader(of: input) != nil, !convolution.kernel.hasStride {
                runs[run].append(index)
                runEndingIn[node.output] = run
            } else if !convolution.kernel.hasStride || !(uses.needsGradient(input) || convolution.input.hasSlopes) {
                runs.append([index])
                runEndingIn[node.output] = runs.count - 1
            }
        }
        return runs
    }

    /// One node for the nodes of a run, or `nil` if the kernels refuse.
    private func replacement(_ run: [Int], in graph: Graph, _ uses: GraphUses) -> Graph.Node? {
        let nodes = run.map { graph.nodes[$0] }
        let convolutions = nodes.compactMap(\.convolution)
        let (first, last) = (nodes[0], nodes[nodes.count - 1])
        guard
            let kernel = ConvolutionChainKernel(
                convolutions.map { .init(kernel: $0.kernel, usesBias: $0.usesBias) },
                givesInputGradient: uses.needsGradient(first.inputs[0]) || convolutions[0].input.hasSlopes,
                batch: graph.microBatch)
        else { return nil }
        let outputs = nodes.dropLast().map { graph.elementCount(of: $0.output) }
        return Graph.Node(
            name: "\(first.name) … \(last.name)",
            operation: ConvolutionChainOperation(
                kernel: kernel, layers: nodes.map { ComputedLayer($0) }, largestOutput: outputs.max() ?? 0),
            inputs: first.inputs, output: last.output, parameters: nodes.flatMap(\.parameters), states: [])
    }
}

extension Graph {
    /// The share of all nodes' outputs that chains would give.
    func chainedShare(microBatch: Int) -> Double {
        var chained = self
        chained.microBatch = microBatch
        ConvolutionChains().apply(to: &chained)
        let outputs = chained.nodes.filter { $0.operation is ConvolutionChainOperation }
            .flatMap { $0.operation.layers(of: $0) }.map(\.output)
        func elements(_ tensors: [TensorID]) -> Int { tensors.reduce(0) { $0 + elementCount(of: $1) } }
        return Double(elements(outputs)) / Double(max(elements(nodes.map(\.output)), 1))
    }
}

extension Graph.Node {
    /// The node's operation, if it is a convolution of more than 1×1.
    var convolution: WeightedOperation<ConvolutionKernel>? { operation as? WeightedOperation<ConvolutionKernel> }

    /// The node's operation, if it is a dense layer.
    var dense: WeightedOperation<DenseKernel>? { operation as? WeightedOperation<DenseKernel> }
}
