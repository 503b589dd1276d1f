/// A computation of your own: how an output is computed from inputs and parameters, and how gradients go back.
///
/// To extend the library with a computation, write a type that conforms, and a ``Layer`` that adds a value of the type
/// with ``GraphBuilder/add(_:inputs:parameters:states:outputShape:)``. All shapes are known when the network is
/// compiled. At run time an operation gets memory through an ``OperationContext``, allocates nothing and decides
/// nothing.
public protocol GraphOperation {
    /// What the operation is, for the summary: `Conv2D 3×3`.
    var label: String { get }

    /// The algorithm that was chosen, for the summary; `nil` if there is only one.
    var algorithm: String? { get }

    /// True if ``backward(_:)`` reads the inputs: they are then kept until it has run.
    var backwardReadsInputs: Bool { get }

    /// True if ``backward(_:)`` reads the output: it is then kept until it has run.
    var backwardReadsOutput: Bool { get }

    /// True if every sample's output and gradients depend on that sample alone, whichever others are beside it and
    /// wherever it stands among them: then a batch may be taken in parts, and ``forward(_:)`` and ``backward(_:)`` may
    /// be called for several parts at once, from threads of their own.
    var isSamplewise: Bool { get }

    /// Settles what depends on how the operation will be called, such as the algorithm. Throws if it can't be computed
    /// for so many samples at once; `name` is its own, for the error.
    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError)

    /// Bytes that the operation keeps for itself from ``forward(_:)`` to ``backward(_:)``, for up to `batch` samples.
    func savedBytes(batch: Int) -> Int

    /// Bytes of memory that the operation needs while it runs, for up to `batch` samples. Not kept.
    func scratchBytes(batch: Int) -> Int

    /// Computes the output from the inputs.
    func forward(_ context: OperationContext)

    /// Computes from the output's gradient the gradients of the inputs and of the parameters.
    ///
    /// Parameters' gradients are overwritten. Inputs' gradients are overwritten or added to, as
    /// ``OperationContext/accumulatesInputGradient(_:)`` says of each. All of them may be written in any order and in
    /// several steps: no two gradients of one call share memory, also where two inputs are the same tensor or two
    /// operations share a parameter.
    func backward(_ context: OperationContext)
}

extension GraphOperation {
    public var algorithm: String? { nil }
    public var backwardReadsInputs: Bool { true }
    public var backwardReadsOutput: Bool { false }
    public var isSamplewise: Bool { false }
    public mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {}
    public func savedBytes(batch: Int) -> Int { 0 }
    public func scratchBytes(batch: Int) -> Int { 0 }
}

/// How an operation of a compiled network will be called.
public struct OperationCalls: Sendable, Hashable {
    /// The most samples of one call.
    public let batch: Int
    /// True if other threads have calls of their own meanwhile: then nothing is gained by sharing the work of one.
    public let isSingleThreaded: Bool
}

/// The memory of one operation during one pass. Tensors are dense, [batch] + the shape given when the network was
/// built.
///
/// Pointers are valid during the call only. Asking for memory that the call doesn't have ends the process with a
/// sentence.
public struct OperationContext {
    /// Which of a step's operands is which of the operation's buffers.
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

    /// The number of samples in this pass: at most the network's pass size.
    public var batch: Int { call.batch }

    /// True in a training step, false in evaluation (no dropout, running statistics).
    public var isTraining: Bool { call.isTraining }

    /// A key for random decisions, different for every operation and step, and the same in forward and backward of one
    /// step.
    public var randomKey: UInt64 { call.randomKey }

    /// Input `index`: in ``GraphOperation/forward(_:)``, and in ``GraphOperation/backward(_:)`` with
    /// ``GraphOperation/backwardReadsInputs``.
    public func input(_ index: Int = 0) -> UnsafePointer<Float> {
        guard index < operands.inputs.count else {
            fatalError("an operation asked for input \(index) in a pass that has none: see backwardReadsInputs")
        }
        return call[operands.inputs[index]]
    }

    /// Where ``GraphOperation/forward(_:)`` writes; in ``GraphOperation/backward(_:)`` the output, with
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

    /// Where the gradient with respect to input `index` goes, or `nil` if nobody needs it.
    ///
    /// Each input has memory of its own: the network adds up the gradients of inputs that are the same tensor.
    public func inputGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? {
        index < operands.inputGradients.count ? call[ifAny: operands.inputGradients[index]] : nil
    }

    /// True if the gradient of input `index` must be added to what is there, because another consumer of the tensor
    /// wrote its share before; false if it must be overwritten, for anything may be there.
    ///
    /// The answer is about other operations alone, so gradients may be written in any order.
    public func accumulatesInputGradient(_ index: Int = 0) -> Bool {
        index < operands.inputGradients.count && operands.inputGradients[index].accumulates
    }

    /// Parameter `index`.
    public func parameter(_ index: Int) -> UnsafePointer<Float> { call[operands.parameters[index]] }

    /// Where the gradient of parameter `index` goes: overwritten, for anything may be there. Where several operations
    /// share a parameter, each has memory of its own, and the network adds up what they write.
    public func parameterGradient(_ index: Int) -> UnsafeMutablePointer<Float> {
        guard index < operands.parameterGradients.count else {
            fatalError("an operation asked for the gradient of parameter \(index) in a pass that has none")
        }
        return call[operands.parameterGradients[index]]
    }

    /// State `index`: numbers that are saved with the weights but not trained, such as running statistics.
    public func state(_ index: Int) -> UnsafeMutablePointer<Float> { call[operands.states[index]] }

    /// The memory asked for by ``GraphOperation/savedBytes(batch:)``, aligned to 64 bytes.
    public var saved: UnsafeMutableRawPointer {
        if let saved = operands.saved { return UnsafeMutableRawPointer(call[saved]) }
        guard let saved = operands.savedBefore else {
            fatalError("an operation asked for saved memory that its savedBytes(batch:) doesn't ask for")
        }
        return UnsafeMutableRawPointer(mutating: call[saved])
    }

    /// The memory asked for by ``GraphOperation/scratchBytes(batch:)``, aligned to 64 bytes.
    public var scratch: UnsafeMutableRawPointer { call.scratch }
}
