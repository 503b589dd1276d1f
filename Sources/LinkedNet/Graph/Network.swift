/// A compiled network: its operations in order, all of their memory, its weights.
///
/// Compiling infers shapes, fuses activations into their consumers, chooses algorithms and plans memory. After that a
/// pass allocates nothing. Make one from a model with ``init(_:input:batch:seed:)``, train it with a ``Trainer``.
///
/// A network is not thread-safe: use one from one thread at a time, and from nowhere else between
/// ``forward(input:count:mode:inspection:)`` and ``backward(count:step:)``. A pass or a training step that begins while
/// another runs ends the process with a sentence. Tasks that predict at once have a network each, with the same
/// weights.
public final class Network {
    /// The shape of one input sample.
    public let inputShape: Shape
    /// The shape of one output sample.
    public let outputShape: Shape
    /// The largest number of samples in a training step.
    public let batchSize: Int
    /// The largest number of samples in a pass: ``batchSize``, or a part of it where a step is faster in several
    /// passes.
    public let passSize: Int
    /// What the weights were initialised from and dropout is keyed by.
    public let seed: UInt64

    /// The layout of the trained parameters, their gradients and the optimizers' slots.
    public let parameterLayout: ParameterLayout
    /// The layout of what is saved with the weights but not trained.
    public let stateLayout: ParameterLayout
    /// The operations in order, for summaries and diagnostics.
    public let operations: [OperationInfo]
    /// How much memory the network holds.
    public let memory: MemoryUse

    private let nodes: [Graph.Node]
    /// Which of ``operations`` is the node's first.
    private let firstOperations: [Int]
    private let nodeHasBackward: [Bool]
    /// For each node, where the parameters begin whose gradients are complete once its backward pass is done: from
    /// there to the layout's end.
    let completeFrom: [Int]
    private let inputReaders: [(node: Int, input: Int)]

    /// Taken by whoever computes in ``passMemories``.
    let use = ExclusiveUse()
    /// Of the passes that run at once, in order. The first is what everybody else sees.
    let passMemories: [PassMemory]
    private let parameterStorage: AlignedStorage<Float>
    private let stateStorage: AlignedStorage<Float>

    /// Compiles what `builder` holds, with `output` as the result.
    ///
    /// - Parameters:
    ///   - batch: the largest number of samples in a training step.
    ///   - seed: initial weights and dropout are functions of it.
    /// - Throws: ``ShapeError`` for a batch below 1, a network without operations, or sizes that overflow;
    ///   ``OutOfMemory``.
    public convenience init(builder: GraphBuilder, output: Value, batch: Int, seed: UInt64) throws {
        try self.init(builder: builder, output: output, batch: batch, seed: seed) { _ in }
    }

    /// As ``init(builder:output:batch:seed:)``.
    ///
    /// - Parameter accept: gets all parameters and states before memory is taken for them; what it throws ends
    ///   compiling.
    init(
        builder: GraphBuilder, output: Value, batch: Int, seed: UInt64, accept: ([ParameterInfo]) throws -> Void
    ) throws {
        let output = try builder.materialized(output)
        var graph = try builder.namedGraph()
        if builder.fusion != .nothing {
            graph = try graph.fusingSums(output: output.tensor, withActivations: builder.fusion == .everything)
                .sharingNormalizations(output: output.tensor)
                .storingActivations(output: output.tensor)
        }
        guard batch >= 1 else {
            throw ShapeError(subject: "network", expected: "a batch size of at least 1", found: "\(batch)")
        }
        guard output.tensor.index != 0 else {
            throw ShapeError(subject: "network", expected: "at least one layer that computes", found: "none")
        }
        var bytes = 0
        let shapes = graph.tensorShapes.map { Shape([batch] + $0.dimensions) }
        for shape in shapes + graph.parameters.map(\.shape) + graph.states.map(\.shape) {
            let size = try shape.validated(as: "network at batch size \(batch)").elementCount
            let (sum, overflow) = bytes.addingReportingOverflow(size * MemoryLayout<Float>.stride)
            guard !overflow, sum < Self.mostBytes else {
                throw ShapeError(
                    subject: "network at batch size \(batch)", expected: "sizes that fit in memory",
                    found: "more than \(Self.mostBytes >> 40) TiB")
            }
            bytes = sum
        }
        let pass = PassSize.of(graph, output: output.tensor, batch: batch)
        for index in graph.nodes.indices {
            try graph.nodes[index].operation.prepare(
                for: OperationCalls(batch: pass, isAlone: pass < batch), name: graph.nodes[index].name)
        }
        if builder.fusion != .nothing {
            graph = graph.groupingConvolutions(output: output.tensor, batch: pass)
                .fusingConvolutionsWithDense(output: output.tensor, batch: pass)
        }
        inputShape = graph.tensorShapes[0]
        outputShape = output.shape
        batchSize = batch
        passSize = pass
        self.seed = seed
        nodes = graph.nodes

        parameterLayout = ParameterLayout(
            graph.parameters.map { ParameterInfo(name: $0.name, shape: $0.shape, isTrainable: true) })
        stateLayout = ParameterLayout(
            graph.states.map { ParameterInfo(name: $0.name, shape: $0.shape, isTrainable: false) })
        let schedule = Schedule(graph: graph, output: output.tensor)
        let memoryMap = MemoryMap(graph: graph, schedule: schedule, batch: pass)
        try accept(parameterLayout.entries + stateLayout.entries)

        parameterStorage = try AlignedStorage(count: parameterLayout.count)
        stateStorage = try AlignedStorage(count: stateLayout.count)
        nodeHasBackward = schedule.nodeHasBackward
        completeFrom = graph.completeParameterOffsets(parameterLayout)
        // A step of one pass is shared by all threads. Of several, threads take one each, for nothing in them is made
        // to be shared.
        let passesAtOnce = min(PassRanges(samples: batch, passSize: pass).count, Runtime.threadCount)
        var passMemories: [PassMemory] = []
        for _ in 0..<passesAtOnce {
            passMemories.append(
                try PassMemory(
                    graph: graph, schedule: schedule, map: memoryMap,
                    parameters: (parameterLayout, parameterStorage.pointer),
                    states: (stateLayout, stateStorage.pointer)))
        }
        self.passMemories = passMemories
        inputReaders = graph.nodes.enumerated().flatMap { node, description in
            description.inputs.enumerated().compactMap { $1.index == 0 ? (node, $0) : nil }
        }

        var operations: [OperationInfo] = []
        var firstOperations: [Int] = []
        for node in graph.nodes {
            firstOperations.append(operations.count)
            let group = node.operation as? any GroupedOperation
            for (index, member) in (node.members.isEmpty ? [node] : node.members).enumerated() {
                let shape = graph.tensorShapes[member.output.index]
                operations.append(
                    OperationInfo(
                        name: member.name, label: member.operation.label,
                        algorithm: group.map { $0.algorithm(ofMember: index) } ?? node.operation.algorithm,
                        outputShape: shape,
                        activationMemberCount: (member.operation as? any ActivationNode)?.memberCount,
                        parameterCount: member.parameters.reduce(0) {
                            $0 + graph.parameters[$1.index].shape.elementCount
                        },
                        outputBytes: pass * shape.elementCount * MemoryLayout<Float>.stride,
                        scratchBytes: node.operation.scratchBytes(batch: pass)))
            }
        }
        self.operations = operations
        self.firstOperations = firstOperations
        let parameterBytes = parameterLayout.count * MemoryLayout<Float>.stride
        memory = MemoryUse(
            parameterBytes: parameterBytes,
            stateBytes: stateLayout.count * MemoryLayout<Float>.stride,
            arenaBytes: passesAtOnce * memoryMap.plan.totalBytes + (passesAtOnce - 1) * parameterBytes,
            unsharedArenaBytes: passesAtOnce * memoryMap.unsharedBytes,
            scratchBytes: passesAtOnce * memoryMap.scratchBytes)

        for (index, parameter) in graph.parameters.enumerated() {
            var random = CounterRandom(seed: seed, sample: UInt64(index), use: .initialization)
            let range = parameterLayout.range(of: index)
            parameter.initialization(UnsafeMutableBufferPointer(rebasing: parameterStorage.buffer[range]), &random)
        }
        for (index, state) in graph.states.enumerated() {
            stateStorage.buffer[stateLayout.range(of: index)].update(repeating: state.value)
        }
    }

    /// More than any machine has, and little enough for sums of sizes not to overflow.
    private static let mostBytes = 1 << 50

    // MARK: Flat memory

    /// All parameters in ``parameterLayout``.
    public var parameters: UnsafeMutableBufferPointer<Float> { parameterStorage.buffer }
    /// The gradients of the last ``backward(count:step:)``, in ``parameterLayout``.
    public var parameterGradients: UnsafeMutableBufferPointer<Float> { passMemories[0].parameterGradients.buffer }
    /// All states in ``stateLayout``.
    public var states: UnsafeMutableBufferPointer<Float> { stateStorage.buffer }

    /// The result of the last forward pass, [count] + ``outputShape``.
    public var output: UnsafePointer<Float> { UnsafePointer(passMemories[0].output) }
    /// Where the gradient of the loss with respect to the output is put before ``backward(count:step:)``.
    public var outputGradient: UnsafeMutablePointer<Float> { passMemories[0].outputGradient }

    // MARK: Passes

    /// What a forward pass is for.
    public enum Mode: Sendable {
        /// A training step: dropout keyed by the step, BatchNorm with the batch's statistics.
        case training(step: UInt64)
        /// Evaluation: no dropout, running statistics.
        case inference
    }

    /// Called after an operation with its index in ``operations`` and its output of `count` samples.
    public typealias Inspection = (_ operation: Int, _ output: UnsafeBufferPointer<Float>) -> Void

    /// Computes the output for `count` samples.
    ///
    /// - Parameters:
    ///   - input: [count] + ``inputShape``; read until ``backward(count:step:)`` has returned, if that follows.
    ///   - count: 1 … ``passSize``.
    ///   - inspection: sees each operation's output while it is there; later operations may reuse its memory.
    /// - Throws: ``ShapeError`` for another count.
    public func forward(
        input: UnsafePointer<Float>, count: Int, mode: Mode, inspection: Inspection? = nil
    ) throws(ShapeError) {
        try checkPass(count)
        use.begin()
        defer { use.end() }
        forward(input: input, count: count, mode: mode, in: passMemories[0], inspection: inspection)
    }

    /// ``forward(input:count:mode:inspection:)`` in a memory of its own, of a count that a pass takes, for whoever has
    /// taken ``use``.
    func forward(
        input: UnsafePointer<Float>, count: Int, mode: Mode, in memory: PassMemory, inspection: Inspection? = nil
    ) {
        for index in inputReaders.indices {
            memory.bindings[inputReaders[index].node].inputs[inputReaders[index].input] = input
        }
        let (isTraining, step) =
            switch mode {
            case .training(let step): (true, step)
            case .inference: (false, UInt64(0))
            }
        for index in nodes.indices {
            let context = context(index, memory, count: count, isTraining: isTraining, step: step)
            nodes[index].operation.forward(context)
            if let inspection { inspect(index, context, inspection) }
        }
    }

    /// Computes the gradients of all parameters from ``outputGradient``, after a forward pass in mode `.training` with
    /// the same count and step.
    ///
    /// - Throws: ``ShapeError`` for a count outside 1 … ``passSize``.
    public func backward(count: Int, step: UInt64) throws(ShapeError) {
        try checkPass(count)
        use.begin()
        defer { use.end() }
        backward(count: count, step: step, in: passMemories[0])
    }

    /// ``backward(count:step:)`` in a memory of its own, of a count that a pass takes, for whoever has taken ``use``.
    ///
    /// - Parameter completed: called after each operation with the place in ``parameterLayout`` from which on gradients
    ///   are complete and parameters won't be read again.
    func backward(count: Int, step: UInt64, in memory: PassMemory, completed: (_ start: Int) -> Void = { _ in }) {
        // Counting down by hand: iterating a reversed collection allocates in unoptimised builds.
        var index = nodes.count
        while index > 0 {
            index -= 1
            guard nodeHasBackward[index] else { continue }
            nodes[index].operation.backward(context(index, memory, count: count, isTraining: true, step: step))
            memory.bindings[index].addGradientShares(batch: count)
            completed(completeFrom[index])
        }
    }

    private func checkPass(_ count: Int) throws(ShapeError) {
        guard count >= 1, count <= passSize else {
            throw ShapeError(
                subject: "pass", expected: "1 to \(passSize) samples, the network's pass size", found: "\(count)")
        }
    }

    /// Shows the outputs of a node, or of the nodes it consists of.
    private func inspect(_ index: Int, _ context: OperationContext, _ inspection: Inspection) {
        func show(_ member: Int, _ output: UnsafePointer<Float>) {
            let operation = firstOperations[index] + member
            let elements = context.batch * operations[operation].outputShape.elementCount
            inspection(operation, UnsafeBufferPointer(start: output, count: elements))
        }
        guard let group = nodes[index].operation as? any GroupedOperation else { return show(0, context.output) }
        for member in nodes[index].members.indices {
            group.withOutput(ofMember: member, context) { show(member, $0) }
        }
    }

    private func context(
        _ index: Int, _ memory: PassMemory, count: Int, isTraining: Bool, step: UInt64
    ) -> OperationContext {
        OperationContext(
            batch: count, isTraining: isTraining,
            randomKey: CounterRandom.key(
                seed: seed, epoch: step, sample: UInt64(firstOperations[index]), use: .dropout),
            bindings: memory.bindings[index])
    }
}

/// One operation of a compiled network.
public struct OperationInfo: Sendable {
    /// The path of the layer that added it.
    public let name: String
    /// What it is: `Conv2D 3×3`.
    public let label: String
    /// The algorithm chosen for it, if there was a choice.
    public let algorithm: String?
    /// The shape of one output sample.
    public let outputShape: Shape
    /// For an activation computed by an operation of its own, the number of its linkage's members (1 if it isn't
    /// linked); its channels are member after member. `nil` for other operations.
    public let activationMemberCount: Int?
    /// The number of trained parameters it reads.
    public let parameterCount: Int
    /// The size of its output for a whole pass.
    public let outputBytes: Int
    /// The scratch it uses while it runs; layers that are computed as one use it together.
    public let scratchBytes: Int
}

/// How much memory a compiled network holds.
public struct MemoryUse: Sendable, Hashable {
    /// Parameters; gradients take as much again, and so does each slot of the optimizer.
    public let parameterBytes: Int
    /// States such as running statistics.
    public let stateBytes: Int
    /// The arena of all intermediate values and gradients; where passes run at once, of all together, with the
    /// gradients that the later ones compute.
    public let arenaBytes: Int
    /// What the arena would take if no two buffers shared memory.
    public let unsharedArenaBytes: Int
    /// The largest operation's scratch, once for each pass that runs at once. Pages that no thread touches take no
    /// physical memory.
    public let scratchBytes: Int
}
