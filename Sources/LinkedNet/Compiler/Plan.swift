/// A compiled network as data: the steps in the order in which they run, and the places of their buffers.
///
/// The places follow from the steps' operands. A buffer lives from the first step to the last step that uses the
/// buffer. Two buffers share memory only if no step lies in the lives of both. The gradient of a parameter is complete
/// after the last step that uses the parameter or its gradient.
struct Plan {
    /// Forward, the loss, backward.
    let steps: [PlanStep]
    /// The index of the loss in ``steps``. The trainer computes the loss; the plan knows the loss's buffers.
    let loss: Int
    /// For each step, the place in the parameters' layout from which on gradients are complete after the step, and no
    /// later step reads the parameters.
    let completeFrom: [Int]
    /// The largest scratch of any step.
    let scratchBytes: Int
    /// The size of a workspace's arena.
    var arenaBytes: Int { memory.totalBytes }
    /// The arena's size if no buffers shared memory.
    let unsharedBytes: Int
    let output: TensorID
    /// The names of buffers, for people.
    let names: BufferNames

    private let memory: MemoryPlan
    /// The buffers of the arena, in the order of first use, as the memory plan's requests.
    private let lives: [BufferLife]
    private let lifeIndices: [Buffer: Int]

    init(_ graph: Graph, layout: ParameterLayout) {
        let uses = graph.uses
        let ledger = GradientLedger(
            tensorNeedsGradient: graph.tensorShapes.indices.map { uses.needsGradient(TensorID(index: $0)) })
        var steps: [PlanStep] = []
        var saved: [SavedBuffer: Int] = [:]
        func take(_ collected: NodeSteps) {
            steps += collected.steps
            saved.merge(collected.savedBytes) { max($0, $1) }
        }
        for node in graph.nodes {
            var collected = NodeSteps(node, of: graph, pass: .forward, ledger: ledger)
            node.operation.addForward(to: &collected)
            take(collected)
        }
        loss = steps.count
        steps.append(.loss(output: graph.output))
        _ = ledger.claim(graph.output)
        for (index, node) in graph.nodes.enumerated().reversed() where uses.hasBackward(index) {
            var collected = NodeSteps(node, of: graph, pass: .backward, ledger: ledger)
            node.operation.addBackward(to: &collected)
            take(collected)
        }
        self.steps = steps
        output = graph.output
        names = BufferNames(graph, shares: ledger.shares.map(\.target))
        scratchBytes = steps.map(\.scratchBytes).max() ?? 0
        completeFrom = Self.completeFrom(steps, parameterCount: graph.parameters.count, layout)

        let lives = Self.lives(of: steps) { buffer in
            switch buffer {
            // The caller owns the batch, and parameters and states have memory of their own.
            case .value(TensorID(index: 0)), .parameter, .parameterGradient, .state: nil
            case .value(let tensor), .gradient(let tensor):
                graph.microBatch * graph.elementCount(of: tensor) * Self.stride
            case .saved(let buffer): saved[buffer] ?? 0
            case .share(let number):
                ledger.shares[number].elementCount * (ledger.shares[number].isPerSample ? graph.microBatch : 1)
                    * Self.stride
            }
        }
        self.lives = lives
        lifeIndices = lives.indices.reduce(into: [:]) { $0[lives[$1].buffer] = $1 }
        memory = MemoryPlan(lives.map { .init(bytes: $0.bytes, lifetime: $0.steps) })
        unsharedBytes = lives.reduce(0) { $0 + $1.bytes }
    }

    private static let stride = MemoryLayout<Float>.stride

    /// A buffer of the arena, and the steps from the first to the last that use it.
    struct BufferLife {
        let buffer: Buffer
        let bytes: Int
        var steps: ClosedRange<Int>
    }

    /// Each buffer that has a size, in the order of first use.
    private static func lives(of steps: [PlanStep], bytes: (Buffer) -> Int?) -> [BufferLife] {
        var places: [Buffer: Int] = [:]
        var lives: [BufferLife] = []
        for (index, step) in steps.enumerated() {
            for operand in step.operands {
                if let place = places[operand.buffer] {
                    lives[place].steps = lives[place].steps.lowerBound...index
                } else if let bytes = bytes(operand.buffer) {
                    places[operand.buffer] = lives.count
                    lives.append(BufferLife(buffer: operand.buffer, bytes: bytes, steps: index...index))
                }
            }
        }
        return lives
    }

    /// For each step, the offset from which on no later step uses a parameter or its gradient.
    private static func completeFrom(_ steps: [PlanStep], parameterCount: Int, _ layout: ParameterLayout) -> [Int] {
        var lastUses = Array(repeating: -1, count: parameterCount)
        for (index, step) in steps.enumerated() {
            for operand in step.operands {
                switch operand.buffer {
                case .parameter(let parameter), .parameterGradient(let parameter): lastUses[parameter.index] = index
                default: break
                }
            }
        }
        // The parameters that are still used after a step, counted from the layout's beginning.
        return steps.indices.map { step in
            let used = lastUses.lastIndex { $0 > step }.map { $0 + 1 } ?? 0
            return used == 0 ? 0 : used < parameterCount ? layout.offsets[used] : layout.count
        }
    }

    /// The byte of the arena at which a buffer begins; `nil` if the buffer isn't in the arena.
    func offset(of buffer: Buffer) -> Int? { lifeIndices[buffer].map { memory.offsets[$0] } }

    /// The buffers of the arena with their places, in the order of first use.
    var placedBuffers: [(life: BufferLife, offset: Int)] { Array(zip(lives, memory.offsets)) }
}

extension PlanStep {
    /// The loss reads the network's output and writes the output's gradient.
    fileprivate static func loss(output: TensorID) -> PlanStep {
        PlanStep(
            pass: .loss, name: "loss", label: "loss", node: nil,
            operands: [
                Operand(buffer: .value(output), access: .read), Operand(buffer: .gradient(output), access: .write),
            ],
            scratchBytes: 0, run: { _ in }, show: nil)
    }
}
