/// One node of a compiled network: how an output is computed from inputs and parameters, and how gradients go back.
///
/// Operations are made by layers while a network is built. Everything about shapes is settled then; at run time an
/// operation gets memory through an ``OperationContext``, allocates nothing and decides nothing. To extend the library
/// with a computation of your own, write a type that conforms, and a ``Layer`` that adds it with
/// ``GraphBuilder/add(_:inputs:parameters:states:outputShape:)``.
public protocol Operation {
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
    var treatsSamplesAlone: Bool { get }

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

extension Operation {
    public var algorithm: String? { nil }
    public var backwardReadsInputs: Bool { true }
    public var backwardReadsOutput: Bool { false }
    public var treatsSamplesAlone: Bool { false }
    public mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {}
    public func savedBytes(batch: Int) -> Int { 0 }
    public func scratchBytes(batch: Int) -> Int { 0 }
}

/// How an operation of a compiled network will be called.
public struct OperationCalls: Sendable, Hashable {
    /// The most samples of one call.
    public let batch: Int
    /// True if other threads have calls of their own meanwhile: then nothing is gained by sharing the work of one.
    public let isAlone: Bool
}

/// The memory of one operation during one pass. Tensors are dense, [batch] + the shape given when the network was
/// built.
///
/// Pointers are valid during the call only.
public struct OperationContext {
    /// The number of samples in this pass: at most the network's pass size.
    public let batch: Int

    /// True in a training step, false in evaluation (no dropout, running statistics).
    public let isTraining: Bool

    /// A key for random decisions, different for every operation and step, and the same in forward and backward of one
    /// step.
    public let randomKey: UInt64

    let bindings: OperationBindings

    /// Input `index`.
    public func input(_ index: Int = 0) -> UnsafePointer<Float> { bindings.inputs[index] }

    /// Where ``Operation/forward(_:)`` writes.
    public var output: UnsafeMutablePointer<Float> { bindings.output }

    /// The gradient of the loss with respect to the output.
    public var outputGradient: UnsafePointer<Float> { UnsafePointer(bindings.outputGradient) }

    /// What the BatchNorm that normalises the output saves, if ``outputGradient`` is the gradient of its output.
    var normalizationStatistics: UnsafeMutableRawPointer? { bindings.normalizationStatistics }

    /// What another operation found for the gradient of the first input's activation, if that is part of it.
    var activationGradient: UnsafePointer<Float>? { bindings.activationGradient }

    /// Where the gradient with respect to input `index` goes, or `nil` if nobody needs it.
    ///
    /// Each input has memory of its own: the network adds up the gradients of inputs that are the same tensor.
    public func inputGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? { bindings.inputGradients[index] }

    /// True if the gradient of input `index` must be added to what is there, because another consumer of the tensor
    /// wrote its share before; false if it must be overwritten, for anything may be there.
    ///
    /// The answer is about other operations alone, so gradients may be written in any order.
    public func accumulatesInputGradient(_ index: Int = 0) -> Bool { bindings.inputGradientAccumulates[index] }

    /// Parameter `index`.
    public func parameter(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(bindings.parameters[index]) }

    /// Where the gradient of parameter `index` goes: overwritten, for anything may be there. Where several operations
    /// share a parameter, each has memory of its own, and the network adds up what they write.
    public func parameterGradient(_ index: Int) -> UnsafeMutablePointer<Float> { bindings.parameterGradients[index] }

    /// State `index`: numbers that are saved with the weights but not trained, such as running statistics.
    public func state(_ index: Int) -> UnsafeMutablePointer<Float> { bindings.states[index] }

    /// The memory asked for by ``Operation/savedBytes(batch:)``, aligned to 64 bytes.
    public var saved: UnsafeMutableRawPointer { bindings.saved }

    /// The memory asked for by ``Operation/scratchBytes(batch:)``, aligned to 64 bytes.
    public var scratch: UnsafeMutableRawPointer { bindings.scratch }
}

/// Where the memory of one operation lies; fixed when the network is compiled.
final class OperationBindings {
    var inputs: [UnsafePointer<Float>]
    let output: UnsafeMutablePointer<Float>
    let inputGradients: [UnsafeMutablePointer<Float>?]
    let inputGradientAccumulates: [Bool]
    let outputGradient: UnsafeMutablePointer<Float>
    let normalizationStatistics: UnsafeMutableRawPointer?
    let activationGradient: UnsafePointer<Float>?
    let parameters: [UnsafeMutablePointer<Float>]
    let parameterGradients: [UnsafeMutablePointer<Float>]
    /// What is added up after the backward pass.
    let gradientShares: [GradientShare]
    let states: [UnsafeMutablePointer<Float>]
    let saved: UnsafeMutableRawPointer
    let scratch: UnsafeMutableRawPointer

    init(
        inputs: [UnsafePointer<Float>], output: UnsafeMutablePointer<Float>,
        inputGradients: [UnsafeMutablePointer<Float>?], inputGradientAccumulates: [Bool],
        outputGradient: UnsafeMutablePointer<Float>, normalizationStatistics: UnsafeMutableRawPointer?,
        activationGradient: UnsafePointer<Float>?, parameters: [UnsafeMutablePointer<Float>],
        parameterGradients: [UnsafeMutablePointer<Float>], gradientShares: [GradientShare],
        states: [UnsafeMutablePointer<Float>], saved: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
    ) {
        self.inputs = inputs
        self.output = output
        self.inputGradients = inputGradients
        self.inputGradientAccumulates = inputGradientAccumulates
        self.outputGradient = outputGradient
        self.normalizationStatistics = normalizationStatistics
        self.activationGradient = activationGradient
        self.parameters = parameters
        self.parameterGradients = parameterGradients
        self.gradientShares = gradientShares
        self.states = states
        self.saved = saved
        self.scratch = scratch
    }
    /// Adds to their places the gradients that the operation's backward pass wrote apart.
    func addGradientShares(batch: Int) {
        for index in gradientShares.indices { gradientShares[index].add(batch: batch) }
    }
}

/// A gradient that an operation writes into memory of its own, because another one has its place already: a second
/// input that is the same tensor, a parameter that another operation reads, too.
struct GradientShare {
    let source: UnsafeMutablePointer<Float>
    let target: UnsafeMutablePointer<Float>
    /// Of one sample if `isPerSample`, else of all.
    let elementCount: Int
    let isPerSample: Bool

    func add(batch: Int) {
        Elementwise.copy(
            count: isPerSample ? batch * elementCount : elementCount, source, out: target, accumulate: true)
    }
}
