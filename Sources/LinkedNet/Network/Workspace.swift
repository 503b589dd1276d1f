/// The memory of one pass under way: values, gradients and scratch. Passes that run at once have a workspace each.
final class Workspace {
    /// The result of the forward pass.
    let output: UnsafeMutablePointer<Float>
    /// The gradient of the loss with respect to the result.
    let outputGradient: UnsafeMutablePointer<Float>
    /// The gradients of the parameters, as laid out in the network.
    let parameterGradients: AlignedStorage<Float>

    private let arena: AlignedStorage<UInt8>
    private let scratch: AlignedStorage<UInt8>
    /// The address of each operand of each step.
    private let addresses: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>>
    /// For each step, the place of its first operand in ``addresses``.
    private let firstOperands: [Int]
    /// The places in ``addresses`` of the batch that the caller gives.
    private let inputPlaces: [Int]

    /// - Throws: ``OutOfMemory``.
    init(
        _ plan: Plan, parameters: (layout: ParameterLayout, values: UnsafeMutablePointer<Float>),
        states: (layout: ParameterLayout, values: UnsafeMutablePointer<Float>)
    ) throws(OutOfMemory) {
        arena = try AlignedStorage(count: plan.arenaBytes)
        scratch = try AlignedStorage(count: plan.scratchBytes)
        parameterGradients = try AlignedStorage(count: parameters.layout.count)
        let (arena, gradients) = (arena.pointer, parameterGradients.pointer)
        // The batch has no address yet. Until the first pass, the arena's beginning stands in for the address.
        func address(_ buffer: Buffer) -> UnsafeMutablePointer<Float> {
            switch buffer {
            case .parameter(let parameter): parameters.values + parameters.layout.offsets[parameter.index]
            case .parameterGradient(let parameter): gradients + parameters.layout.offsets[parameter.index]
            case .state(let state): states.values + states.layout.offsets[state.index]
            case .value, .gradient, .saved, .share:
                UnsafeMutableRawPointer(arena + (plan.offset(of: buffer) ?? 0)).assumingMemoryBound(to: Float.self)
            }
        }
        var operands: [UnsafeMutablePointer<Float>] = []
        var firstOperands: [Int] = [], inputPlaces: [Int] = []
        for step in plan.steps {
            firstOperands.append(operands.count)
            for operand in step.operands {
                if operand.buffer == .value(TensorID(index: 0)) { inputPlaces.append(operands.count) }
                operands.append(address(operand.buffer))
            }
        }
        self.firstOperands = firstOperands
        self.inputPlaces = inputPlaces
        addresses = .allocate(capacity: operands.count)
        _ = addresses.initialize(from: operands)
        output = address(.value(plan.output))
        outputGradient = address(.gradient(plan.output))
    }

    deinit { addresses.deallocate() }

    /// False until the first pass.
    private(set) var hasInput = false

    /// Sets the address of the next pass's batch.
    func setInput(_ input: UnsafePointer<Float>) {
        hasInput = true
        for index in inputPlaces.indices { addresses[inputPlaces[index]] = UnsafeMutablePointer(mutating: input) }
    }

    /// A tensor of the pass under way, as long as the tensor lives.
    func value(of tensor: TensorID, _ plan: Plan) -> UnsafePointer<Float> {
        UnsafeRawPointer(arena.pointer + (plan.offset(of: .value(tensor)) ?? 0)).assumingMemoryBound(to: Float.self)
    }

    /// The call of a step.
    func call(_ step: Int, batch: Int, isTraining: Bool, randomKey: UInt64) -> StepCall {
        StepCall(
            batch: batch, isTraining: isTraining, randomKey: randomKey,
            addresses: UnsafePointer(addresses.baseAddress.unsafelyUnwrapped + firstOperands[step]),
            scratch: UnsafeMutableRawPointer(scratch.pointer))
    }
}
