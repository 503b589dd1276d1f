/// A computation of your own: an output from inputs and parameters, and the gradients of inputs and parameters from the
/// output's gradient.
///
/// To extend the library with a computation, write a type that conforms, and a ``Layer`` that adds a value of the type
/// with ``GraphBuilder/add(_:inputs:parameters:states:outputShape:)``. All shapes are known when the network is
/// compiled. At run time an operation gets memory through an ``OperationContext``, allocates nothing and decides
/// nothing.
public protocol GraphOperation {
    /// The kind of operation, for the summary: `Conv2D 3×3`. ``Network/graphDigest`` tells networks apart by the labels
    /// and the shapes, so a label names every setting that changes the computation.
    var label: String { get }

    /// True if ``backward(_:)`` reads the inputs: the network then saves the inputs until ``backward(_:)`` has run.
    var backwardReadsInputs: Bool { get }

    /// True if ``backward(_:)`` reads the output: the network then saves the output until ``backward(_:)`` has run.
    var backwardReadsOutput: Bool { get }

    /// True if every sample's output and gradients depend on this sample alone, and not on the other samples or on the
    /// sample's position in the batch. The network may then take a batch in micro-batches, and call ``forward(_:)`` and
    /// ``backward(_:)`` for several micro-batches at once, from several threads. A network with a state takes a batch
    /// whole.
    var isSamplewise: Bool { get }

    /// Bytes that the operation saves for itself from ``forward(_:)`` to ``backward(_:)``, for up to `batch` samples.
    func savedBytes(batch: Int) -> Int

    /// Bytes of memory that the operation needs during one call, for up to `batch` samples.
    func scratchBytes(batch: Int) -> Int

    /// Computes the output from the inputs.
    func forward(_ context: OperationContext)

    /// Computes from the output's gradient the gradients of the inputs and of the parameters.
    ///
    /// The operation overwrites parameters' gradients. The operation overwrites or adds to each input's gradient, as
    /// ``OperationContext/accumulatesInputGradient(_:)`` says. The operation may write gradients in any order and in
    /// several steps: no two gradients of one call share memory, even where two inputs are the same tensor or two
    /// operations share a parameter.
    func backward(_ context: OperationContext)
}

extension GraphOperation {
    public var backwardReadsInputs: Bool { true }
    public var backwardReadsOutput: Bool { false }
    public var isSamplewise: Bool { false }
    public func savedBytes(batch: Int) -> Int { 0 }
    public func scratchBytes(batch: Int) -> Int { 0 }
}

/// The memory of one operation during one pass. Tensors are dense, [batch] + the shape given when the network was
/// built.
///
/// Pointers are valid during the call only. Asking for memory that the call doesn't have ends the process with a
/// message.
public struct OperationContext {
    /// The step's operands that are the operation's buffers.
    final class Operands {
        var inputs: [Readable<Float>] = []
        var output: Writable<Float>?
        var storedOutput: Readable<Float>?
        var outputGradient: Readable<Float>?
        var inputGradients: [GradientTarget?] = []
        var parameters: [Readable<Float>] = []
        var parameterGradients: [Writable<Float>] = []
        var states: [Writable<Float>] = []
        var saved: Writable<UInt8>?
        var savedBefore: Readable<UInt8>?
    }

    let call: StepCall
    let operands: Operands

    /// The number of samples in this pass: at most the network's micro-batch size.
    public var batch: Int { call.batch }

    /// True in a training step, false in evaluation (no dropout, running statistics).
    public var isTraining: Bool { call.isTraining }

    /// A key for random decisions, different for every operation and step, and the same in forward and backward of one
    /// step.
    public var randomKey: UInt64 { call.randomKey }

    /// Input `index`: in ``GraphOperation/forward(_:)``, and in ``GraphOperation/backward(_:)`` with
    /// ``GraphOperation/backwardReadsInputs``.
    public func input(_ index: Int = 0) -> UnsafePointer<Float> {
        guard operands.inputs.indices.contains(index) else {
            fatalError("an operation asked for input \(index) in a pass that has none: see backwardReadsInputs")
        }
        return call[operands.inputs[index]]
    }

    /// The memory that ``GraphOperation/forward(_:)`` writes; in ``GraphOperation/backward(_:)`` the output, with
    /// ``GraphOperation/backwardReadsOutput``.
    public var output: UnsafeMutablePointer<Float> {
        if let output = operands.output { return call[output] }
        guard let output = operands.storedOutput else {
            fatalError("an operation asked for its output in a backward pass that has none: see backwardReadsOutput")
        }
        return UnsafeMutablePointer(mutating: call[output])
    }

    /// The gradient of the loss with respect to the output, in ``GraphOperation/backward(_:)``.
    public var outputGradient: UnsafePointer<Float> {
        guard let gradient = operands.outputGradient else {
            fatalError("an operation asked for its output's gradient in a forward pass")
        }
        return call[gradient]
    }

    /// The memory for the gradient with respect to input `index`, or `nil` if no operation needs the gradient.
    ///
    /// Each input has memory of its own: the network adds up the gradients of inputs that are the same tensor.
    public func inputGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? {
        operands.inputGradients.indices.contains(index) ? call[ifAny: operands.inputGradients[index]] : nil
    }

    /// True if the operation must add the gradient of input `index` to the memory, because another reader of the tensor
    /// has written a part of the gradient. False if the operation must overwrite the memory, because the memory may
    /// hold anything.
    ///
    /// The answer depends on other operations alone, so an operation may write gradients in any order.
    public func accumulatesInputGradient(_ index: Int = 0) -> Bool {
        operands.inputGradients.indices.contains(index) && operands.inputGradients[index].accumulates
    }

    /// Parameter `index`.
    public func parameter(_ index: Int) -> UnsafePointer<Float> {
        guard operands.parameters.indices.contains(index) else {
            fatalError("an operation asked for parameter \(index), and has \(operands.parameters.count)")
        }
        return call[operands.parameters[index]]
    }

    /// The memory for the gradient of parameter `index`. The operation overwrites the memory, because the memory may
    /// hold anything. Where several operations share a parameter, each has memory of its own, and the network adds up
    /// the gradients.
    public func parameterGradient(_ index: Int) -> UnsafeMutablePointer<Float> {
        guard operands.parameterGradients.indices.contains(index) else {
            fatalError("an operation asked for the gradient of parameter \(index) in a pass that has none")
        }
        return call[operands.parameterGradients[index]]
    }

    /// State `index`: numbers that are saved with the weights but not trained, such as running statistics.
    public func state(_ index: Int) -> UnsafeMutablePointer<Float> {
        guard operands.states.indices.contains(index) else {
            fatalError("an operation asked for state \(index), and has \(operands.states.count)")
        }
        return call[operands.states[index]]
    }

    /// The memory requested by ``GraphOperation/savedBytes(batch:)``, aligned to 64 bytes.
    public var saved: UnsafeMutableRawPointer {
        if let saved = operands.saved { return UnsafeMutableRawPointer(call[saved]) }
        guard let saved = operands.savedBefore else {
            fatalError("an operation asked for saved memory that its savedBytes(batch:) doesn't ask for")
        }
        return UnsafeMutableRawPointer(mutating: call[saved])
    }

    /// The memory requested by ``GraphOperation/scratchBytes(batch:)``, aligned to 64 bytes.
    public var scratch: UnsafeMutableRawPointer { call.scratch }
}
