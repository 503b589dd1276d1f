/// A compiled network: its operations in order, all of their memory, its weights.
///
/// Compiling infers shapes, fuses activations into their readers, chooses algorithms and plans memory. A pass of a
/// compiled network allocates nothing. ``init(_:input:batch:seed:fusesActivations:)`` makes a network from a model, and
/// a ``Trainer`` trains the network.
///
/// A network is not thread-safe: only one thread at a time may use a network, and no other caller may use the network
/// between ``forward(input:mode:inspection:)`` and ``backward(input:step:)``. A pass or a training step that
/// begins while another runs ends the process with a message. Tasks that predict at once need a network each, with the
/// same weights.
public final class Network {
    /// The shape of one input sample.
    public let inputShape: Shape
    /// The shape of one output sample.
    public let outputShape: Shape
    /// The largest number of samples in a training step.
    public let batchSize: Int
    /// The largest number of samples in a pass: ``batchSize``, or fewer where a step is faster in several
    /// micro-batches.
    public let microBatchSize: Int
    /// The seed of the first weights and of dropout.
    public let seed: UInt64
    /// A digest of the graph that the layers built, to tell networks apart: 64 hexadecimal digits. The digest depends
    /// on operations, parameters and connections, but not on weights, batch size and rewrites.
    public var graphDigest: String { identifiedGraph.digest }

    /// The layout of the trained parameters, their gradients and the optimizers' slots.
    public let parameterLayout: ParameterLayout
    /// The layout of the states, which are saved with the weights but not trained.
    public let stateLayout: ParameterLayout
    /// The operations in order, for summaries and diagnostics.
    public let operations: [OperationInfo]
    /// The memory that the network holds.
    public let memory: MemoryUse

    /// The graph before any rewrite, for ``graphDigest``.
    private let identifiedGraph: Graph
    /// The steps of a pass.
    let plan: Plan
    /// For each step, the range of its node's operations in ``operations``.
    private let operationRanges: [Range<Int>]

    /// For tools that measure: called on the computing thread before each step of ``plan`` with the step's index, which
    /// is also the index in ``planDescription``, and before each call of an optimizer with the number of steps.
    @_spi(Measuring) public var stepBegins: ((_ step: Int) -> Void)?

    /// Taken by each caller that computes in ``workspaces``.
    let use = ExclusiveUse()
    /// The workspaces of the passes that run at once, in order. Other callers see the first workspace only.
    let workspaces: [Workspace]
    private let parameterStorage: AlignedStorage<Float>
    private let stateStorage: AlignedStorage<Float>

    /// Compiles the graph that `builder` holds.
    ///
    /// - Parameters:
    ///   - builder: the graph.
    ///   - output: the network's result, a value of `builder`.
    ///   - batch: the largest number of samples in a training step.
    ///   - seed: initial weights and dropout are functions of the seed.
    ///   - identified: the graph for ``graphDigest``, if that is another one.
    ///   - accept: gets all parameters and states before the network takes memory for them; an error of `accept` ends
    ///     compiling.
    /// - Throws: ``ShapeError`` for a batch below 1, a network without operations, or sizes that overflow;
    ///   ``OutOfMemory``.
    init(
        builder: GraphBuilder, output: Value, batch: Int, seed: UInt64, identified: Graph?,
        accept: ([ParameterInfo]) throws -> Void
    ) throws {
        let finished = try builder.finished(output: output)
        identifiedGraph = identified ?? finished
        let graph = try Compiler.compile(finished, fusion: builder.fusion, batch: batch)
        inputShape = graph.tensorShapes[0]
        outputShape = output.shape
        batchSize = batch
        microBatchSize = graph.microBatch
        self.seed = seed
        parameterLayout = ParameterLayout(
            graph.parameters.map { ParameterInfo(name: $0.name, shape: $0.shape, isTrainable: true) })
        stateLayout = ParameterLayout(
            graph.states.map { ParameterInfo(name: $0.name, shape: $0.shape, isTrainable: false) })
        plan = Plan(graph, layout: parameterLayout)
        try accept(parameterLayout.entries + stateLayout.entries)

        parameterStorage = try AlignedStorage(count: parameterLayout.count)
        stateStorage = try AlignedStorage(count: stateLayout.count)
        // All threads share the only pass of a step. Where a step has several passes, each thread or team of threads
        // takes a pass of its own.
        let passesAtOnce = min(MicroBatches(samples: batch, size: graph.microBatch).count, Runtime.threadCount)
        var workspaces: [Workspace] = []
        for _ in 0..<passesAtOnce {
            workspaces.append(
                try Workspace(
                    plan, parameters: (parameterLayout, parameterStorage.pointer),
                    states: (stateLayout, stateStorage.pointer)))
        }
        self.workspaces = workspaces

        var operations: [OperationInfo] = []
        var ranges: [TensorID: Range<Int>] = [:]
        for node in graph.nodes {
            let layers = node.operation.layers(of: node)
            ranges[node.output] = operations.count..<operations.count + layers.count
            operations += layers.map { OperationInfo($0, in: graph) }
        }
        self.operations = operations
        operationRanges = plan.steps.map { step in step.node.flatMap { ranges[$0] } ?? 0..<0 }
        let parameterBytes = parameterLayout.count * MemoryLayout<Float>.stride
        memory = MemoryUse(
            parameterBytes: parameterBytes,
            stateBytes: stateLayout.count * MemoryLayout<Float>.stride,
            arenaBytes: passesAtOnce * plan.arenaBytes + (passesAtOnce - 1) * parameterBytes,
            unsharedArenaBytes: passesAtOnce * plan.unsharedBytes,
            scratchBytes: passesAtOnce * plan.scratchBytes)

        for (index, parameter) in graph.parameters.enumerated() {
            var random = CounterRandom(seed: seed, sample: UInt64(index), use: .initialization)
            let range = parameterLayout.range(of: index)
            parameter.initialization(UnsafeMutableBufferPointer(rebasing: parameterStorage.buffer[range]), &random)
        }
        for (index, state) in graph.states.enumerated() {
            stateStorage.buffer[stateLayout.range(of: index)].update(repeating: state.value)
        }
    }

    // MARK: Flat memory

    /// All parameters in ``parameterLayout``.
    public var parameters: UnsafeMutableBufferPointer<Float> { parameterStorage.buffer }
    /// The gradients of the last ``backward(input:step:)``, in ``parameterLayout``.
    public var parameterGradients: UnsafeMutableBufferPointer<Float> { workspaces[0].parameterGradients.buffer }
    /// All states in ``stateLayout``.
    public var states: UnsafeMutableBufferPointer<Float> { stateStorage.buffer }

    /// The result of the last forward pass, [count] + ``outputShape``. Valid until the next pass, forward or backward.
    public var output: UnsafePointer<Float> { UnsafePointer(workspaces[0].output) }
    /// The memory for the gradient of the loss with respect to the output. The caller writes the gradient after
    /// ``forward(input:mode:inspection:)`` and before ``backward(input:step:)``: forward may use the memory.
    public var outputGradient: UnsafeMutablePointer<Float> { workspaces[0].outputGradient }

    // MARK: Passes

    /// The purpose of a forward pass.
    public enum Mode: Sendable {
        /// A training step: dropout keyed by the step, BatchNorm with the batch's statistics.
        case training(step: UInt64)
        /// Evaluation: no dropout, running statistics.
        case inference
    }

    /// Called after an operation with its index in ``operations`` and its output of `count` samples.
    public typealias Inspection = (_ operation: Int, _ output: UnsafeBufferPointer<Float>) -> Void

    /// Computes the output.
    ///
    /// - Parameters:
    ///   - input: [count] + ``inputShape``, with a count of 1 … ``microBatchSize``.
    ///   - mode: training or evaluation.
    ///   - inspection: sees each operation's output right after the operation; later operations may reuse the output's
    ///     memory.
    /// - Throws: ``ShapeError`` for an input of another size.
    public func forward(input: Span<Float>, mode: Mode, inspection: Inspection? = nil) throws(ShapeError) {
        let count = try samples(of: input)
        use.begin()
        defer { use.end() }
        input.withUnsafeBufferPointer { pixels in
            forward(
                input: pixels.baseAddress.unsafelyUnwrapped, count: count, mode: mode, in: workspaces[0],
                inspection: inspection)
        }
    }

    /// ``forward(input:mode:inspection:)`` in a workspace of the caller's choice, with a count of at most
    /// ``microBatchSize``, for callers that have taken ``use``. The input is in its place until a backward pass that
    /// follows has ended.
    func forward(
        input: UnsafePointer<Float>, count: Int, mode: Mode, in workspace: Workspace, inspection: Inspection? = nil
    ) {
        workspace.setInput(input)
        let (isTraining, trainingStep) =
            switch mode {
            case .training(let step): (true, step)
            case .inference: (false, UInt64(0))
            }
        for step in 0..<plan.loss {
            let call = call(step, in: workspace, count: count, isTraining: isTraining, trainingStep: trainingStep)
            stepBegins?(step)
            plan.steps[step].run(call)
            if let inspection { inspect(step, call, in: workspace, inspection) }
        }
    }

    /// Computes the gradients of all parameters from ``outputGradient``, after a forward pass in mode `.training` with
    /// the same input and step. The network keeps no reference to the input of a forward pass, so the backward pass
    /// takes the input again.
    ///
    /// - Throws: ``ShapeError`` for an input of another size, or without a forward pass before.
    public func backward(input: Span<Float>, step: UInt64) throws(ShapeError) {
        let count = try samples(of: input)
        guard workspaces[0].hasInput else {
            throw ShapeError(subject: "backward pass", expected: "a forward pass before", found: "none")
        }
        use.begin()
        defer { use.end() }
        input.withUnsafeBufferPointer { pixels in
            workspaces[0].setInput(pixels.baseAddress.unsafelyUnwrapped)
            backward(count: count, step: step, in: workspaces[0])
        }
    }

    /// ``backward(input:step:)`` of the input of the last forward pass, in a workspace of the caller's choice, for
    /// callers that have taken ``use``.
    ///
    /// - Parameter completed: called after each step with the place in ``parameterLayout`` from which on gradients are
    ///   complete and no later step reads the parameters.
    func backward(count: Int, step: UInt64, in workspace: Workspace, completed: (_ start: Int) -> Void = { _ in }) {
        for index in plan.loss + 1..<plan.steps.count {
            stepBegins?(index)
            plan.steps[index].run(
                call(index, in: workspace, count: count, isTraining: true, trainingStep: step))
            completed(plan.completeFrom[index])
        }
    }

    /// The number of samples of a pass's input.
    private func samples(of input: Span<Float>) throws(ShapeError) -> Int {
        let (count, rest) = input.count.quotientAndRemainder(dividingBy: inputShape.elementCount)
        guard rest == 0, count >= 1, count <= microBatchSize else {
            throw ShapeError(
                subject: "pass",
                expected: "1 to \(microBatchSize) samples, the network's micro-batch size, of "
                    + "\(inputShape.elementCount) elements each",
                found: "\(input.count) elements")
        }
        return count
    }

    /// Shows the outputs of the layers that a node computes, after the last of the node's steps.
    private func inspect(_ step: Int, _ call: StepCall, in workspace: Workspace, _ inspection: Inspection) {
        guard let node = plan.steps[step].node, plan.steps[step + 1].node != node else { return }
        for operation in operationRanges[step] {
            let elements = call.batch * operations[operation].outputShape.elementCount
            func show(_ output: UnsafePointer<Float>) {
                inspection(operation, UnsafeBufferPointer(start: output, count: elements))
            }
            if let layer = plan.steps[step].show {
                layer(operation - operationRanges[step].lowerBound, call, show)
            } else {
                show(workspace.value(of: node, plan))
            }
        }
    }

    private func call(
        _ step: Int, in workspace: Workspace, count: Int, isTraining: Bool, trainingStep: UInt64
    ) -> StepCall {
        workspace.call(
            step, batch: count, isTraining: isTraining,
            randomKey: CounterRandom.key(
                seed: seed, epoch: trainingStep, sample: UInt64(operationRanges[step].lowerBound), use: .dropout))
    }
}
