/// The memory of a pass under way: values, gradients and scratch. Passes that run at once have one each.
final class PassMemory {
    /// The result of the forward half.
    let output: UnsafeMutablePointer<Float>
    /// The gradient of the loss with respect to it.
    let outputGradient: UnsafeMutablePointer<Float>
    /// The gradients of the parameters, as laid out in the network.
    let parameterGradients: AlignedStorage<Float>
    /// Of each operation.
    let bindings: [OperationBindings]

    private let arena: AlignedStorage<UInt8>
    private let scratch: AlignedStorage<UInt8>

    init(
        graph: Graph, schedule: Schedule, map: MemoryMap,
        parameters: (layout: ParameterLayout, values: UnsafeMutablePointer<Float>),
        states: (layout: ParameterLayout, values: UnsafeMutablePointer<Float>)
    ) throws(OutOfMemory) {
        arena = try AlignedStorage(count: map.plan.totalBytes)
        scratch = try AlignedStorage(count: map.scratchBytes)
        parameterGradients = try AlignedStorage(count: parameters.layout.count)
        bindings = map.bindings(
            graph: graph, schedule: schedule, arena: arena.pointer, scratch: scratch.pointer,
            parameters: (parameters.layout, parameters.values, parameterGradients.pointer), states: states)
        output = map.value(of: schedule.output, in: arena.pointer)
        outputGradient = map.gradient(of: schedule.output, in: arena.pointer)
    }
}
