/// When each operation runs, and what has to be computed for gradients.
struct Schedule {
    /// Nodes whose backward has something to do: a parameter, or an input that needs a gradient.
    let nodeHasBackward: [Bool]
    /// Tensors whose gradient somebody needs.
    let tensorNeedsGradient: [Bool]
    let output: TensorID
    private let nodeCount: Int

    init(graph: Graph, output: TensorID) {
        self.output = output
        nodeCount = graph.nodes.count
        var needs = Array(repeating: false, count: graph.tensorShapes.count)
        var hasBackward: [Bool] = []
        for node in graph.nodes {
            let trains = !node.parameters.isEmpty || node.inputs.contains { needs[$0.index] }
            needs[node.output.index] = trains
            hasBackward.append(trains)
        }
        // An output that nothing on the way to the result reads gets no gradient, so its producers have none to pass
        // on.
        let isUsed = graph.tensorsUsed(for: output)
        nodeHasBackward = zip(graph.nodes, hasBackward).map { isUsed[$0.output.index] && $1 }
        tensorNeedsGradient = zip(needs, isUsed).map { $0 && $1 }
    }

    /// Moments: node i runs forward at i, the loss at n, node i backward at 2n − i.
    func forwardTime(_ node: Int) -> Int { node }
    var lossTime: Int { nodeCount }
    func backwardTime(_ node: Int) -> Int { 2 * nodeCount - node }
}

extension Graph {
    /// Whether each tensor is on the way to `output`.
    func tensorsUsed(for output: TensorID) -> [Bool] {
        var isUsed = Array(repeating: false, count: tensorShapes.count)
        isUsed[output.index] = true
        for node in nodes.reversed() where isUsed[node.output.index] {
            for input in node.inputs { isUsed[input.index] = true }
        }
        return isUsed
    }
}

/// Where every value, gradient and saved buffer of a graph lies in the arena.
struct MemoryMap {
    let plan: MemoryPlan
    /// What the arena would take if nothing shared memory.
    let unsharedBytes: Int
    /// The largest scratch of any operation.
    let scratchBytes: Int

    private var valueRequests: [Int?]
    private var gradientRequests: [Int?]
    private var savedRequests: [Int?]
    /// Of each node's inputs and parameters.
    private var inputGradients: [[GradientTarget]]
    private var parameterGradients: [[GradientTarget]]

    /// Where an operation writes a gradient.
    private enum GradientTarget {
        /// Nowhere: nobody needs the gradient.
        case none
        /// Into the gradient's place, or added to what is there.
        case place(accumulates: Bool)
        /// Into a buffer of its own, from which the network adds the gradient to its place after the backward pass.
        case share(request: Int)
    }

    init(graph: Graph, schedule: Schedule, batch: Int) {
        let tensorCount = graph.tensorShapes.count
        func bytes(_ tensor: Int) -> Int {
            batch * graph.tensorShapes[tensor].elementCount * MemoryLayout<Float>.stride
        }
        var firstUse = Array(repeating: Int.max, count: tensorCount)
        var lastUse = Array(repeating: -1, count: tensorCount)
        var firstGradient = Array(repeating: Int.max, count: tensorCount)
        var lastGradient = Array(repeating: -1, count: tensorCount)
        var firstSavedUse = graph.nodes.indices.map(schedule.forwardTime)
        var lastSavedUse = graph.nodes.indices.map(schedule.backwardTime)
        for (index, node) in graph.nodes.enumerated() {
            let forward = schedule.forwardTime(index)
            let backward = schedule.backwardTime(index)
            let output = node.output.index
            firstUse[output] = forward
            lastUse[output] = max(lastUse[output], forward)
            for input in node.inputs { lastUse[input.index] = max(lastUse[input.index], forward) }
            if let normalizer = node.normalizer { firstSavedUse[normalizer] = forward }
            guard schedule.nodeHasBackward[index] else { continue }
            lastGradient[output] = max(lastGradient[output], backward)
            if node.operation.backwardReadsOutput { lastUse[output] = max(lastUse[output], backward) }
            if let normalizer = node.normalizer {
                let normalized = graph.nodes[normalizer].output.index
                lastGradient[normalized] = max(lastGradient[normalized], backward)
                lastSavedUse[normalizer] = backward
            }
            if let taken = node.gradientTaken { lastGradient[taken.index] = max(lastGradient[taken.index], backward) }
            for (position, input) in node.inputs.enumerated() {
                if node.operation.backwardReadsInputs { lastUse[input.index] = max(lastUse[input.index], backward) }
                guard !node.withheldGradients.contains(position) else { continue }
                firstGradient[input.index] = min(firstGradient[input.index], backward)
            }
        }
        let output = schedule.output.index
        lastUse[output] = max(lastUse[output], schedule.lossTime)
        firstGradient[output] = schedule.lossTime
        lastGradient[output] = max(lastGradient[output], schedule.lossTime)

        var requests: [MemoryPlan.Request] = []
        func place(_ bytes: Int, _ lifetime: ClosedRange<Int>) -> Int {
            requests.append(.init(bytes: bytes, lifetime: lifetime))
            return requests.count - 1
        }
        valueRequests = Array(repeating: nil, count: tensorCount)
        gradientRequests = Array(repeating: nil, count: tensorCount)
        // What lies within a node, and the former output of a fused one, has no place here.
        for tensor in 1..<tensorCount where firstUse[tensor] <= lastUse[tensor] {
            valueRequests[tensor] = place(bytes(tensor), firstUse[tensor]...lastUse[tensor])
            // Nobody writes the gradient of a tensor that is normalised by an operation which leaves it to the one
            // before.
            guard firstGradient[tensor] <= lastGradient[tensor] else { continue }
            if schedule.tensorNeedsGradient[tensor] || tensor == output {
                gradientRequests[tensor] = place(bytes(tensor), firstGradient[tensor]...lastGradient[tensor])
            }
        }
        savedRequests = graph.nodes.enumerated().map { index, node in
            let saved = node.operation.savedBytes(batch: batch)
            guard saved > 0 else { return nil }
            return place(saved, firstSavedUse[index]...lastSavedUse[index])
        }
        // In backward order: the first node that writes a tensor's gradient overwrites it and the others add to it.
        // A node that reads a tensor at several inputs might write them in any order, or read all before it writes
        // any; so each but the first has a buffer of its own. A parameter's gradient is always overwritten: all but the
        // first of its readers have buffers of their own.
        var writtenTensors: Set<TensorID> = []
        var writtenParameters: Set<ParameterID> = []
        inputGradients = Array(repeating: [], count: graph.nodes.count)
        parameterGradients = Array(repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated().reversed() {
            let backward = schedule.backwardTime(index)
            func share(_ bytes: Int) -> GradientTarget { .share(request: place(bytes, backward...backward)) }
            let hasBackward = schedule.nodeHasBackward[index]
            var ownTensors: Set<TensorID> = []
            inputGradients[index] = node.inputs.enumerated().map { position, input in
                guard hasBackward, schedule.tensorNeedsGradient[input.index], !node.withheldGradients.contains(position)
                else { return .none }
                guard ownTensors.insert(input).inserted else { return share(bytes(input.index)) }
                return .place(accumulates: !writtenTensors.insert(input).inserted)
            }
            parameterGradients[index] = node.parameters.map { parameter in
                guard hasBackward, !writtenParameters.insert(parameter).inserted else {
                    return .place(accumulates: false)
                }
                return share(graph.parameters[parameter.index].shape.elementCount * MemoryLayout<Float>.stride)
            }
        }
        plan = MemoryPlan(requests)
        unsharedBytes = requests.reduce(0) { $0 + $1.bytes }
        scratchBytes = graph.nodes.map { $0.operation.scratchBytes(batch: batch) }.max() ?? 0
    }

    func value(of tensor: TensorID, in arena: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Float> {
        pointer(valueRequests[tensor.index], in: arena)
    }

    func gradient(of tensor: TensorID, in arena: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Float> {
        pointer(gradientRequests[tensor.index], in: arena)
    }

    /// The network's input has no place in the arena: its readers are pointed to the batch before each pass, and until
    /// then at the arena's start, as is whatever nobody reads.
    private func pointer(_ request: Int?, in arena: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer(arena + (request.map { plan.offsets[$0] } ?? 0)).assumingMemoryBound(to: Float.self)
    }

    func bindings(
        graph: Graph, schedule: Schedule, arena: UnsafeMutablePointer<UInt8>,
        scratch: UnsafeMutablePointer<UInt8>,
        parameters: (
            layout: ParameterLayout, values: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>
        ),
        states: (layout: ParameterLayout, values: UnsafeMutablePointer<Float>)
    ) -> [OperationBindings] {
        graph.nodes.enumerated().map { index, node in
            var shares: [GradientShare] = []
            func target(
                _ target: GradientTarget, _ place: () -> UnsafeMutablePointer<Float>, elements: Int, isPerSample: Bool
            ) -> UnsafeMutablePointer<Float>? {
                switch target {
                case .none: return nil
                case .place: return place()
                case .share(let request):
                    let source = pointer(request, in: arena)
                    shares.append(
                        GradientShare(
                            source: source, target: place(), elementCount: elements, isPerSample: isPerSample))
                    return source
                }
            }
            let inputTargets = zip(node.inputs, inputGradients[index]).map { input, own in
                target(
                    own, { gradient(of: input, in: arena) }, elements: graph.tensorShapes[input.index].elementCount,
                    isPerSample: true)
            }
            let parameterTargets = zip(node.parameters, parameterGradients[index]).compactMap { parameter, own in
                target(
                    own, { parameters.gradients + parameters.layout.offsets[parameter.index] },
                    elements: graph.parameters[parameter.index].shape.elementCount, isPerSample: false)
            }
            return OperationBindings(
                inputs: node.inputs.map { UnsafePointer(value(of: $0, in: arena)) },
                output: value(of: node.output, in: arena),
                inputGradients: inputTargets,
                inputGradientAccumulates: inputGradients[index].map {
                    if case .place(accumulates: true) = $0 { true } else { false }
                },
                outputGradient: gradient(
                    of: node.normalizer.map { graph.nodes[$0].output } ?? node.output, in: arena),
                normalizationStatistics: node.normalizer.map {
                    UnsafeMutableRawPointer(pointer(savedRequests[$0], in: arena))
                },
                activationGradient: node.gradientTaken.map { UnsafePointer(gradient(of: $0, in: arena)) },
                parameters: node.parameters.map { parameters.values + parameters.layout.offsets[$0.index] },
                parameterGradients: parameterTargets,
                gradientShares: shares,
                states: node.states.map { states.values + states.layout.offsets[$0.index] },
                saved: UnsafeMutableRawPointer(pointer(savedRequests[index], in: arena)),
                scratch: UnsafeMutableRawPointer(scratch))
        }
    }
}
