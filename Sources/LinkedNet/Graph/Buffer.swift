/// Memory that steps of a plan read and write. Each workspace has its own copy of a buffer, parameters and states
/// excepted.
enum Buffer: Hashable, Sendable {
    /// A tensor: [batch] + the tensor's shape. Tensor 0 is the batch that the caller gives.
    case value(TensorID)
    /// The gradient of the loss with respect to a tensor.
    case gradient(TensorID)
    case parameter(ParameterID)
    case parameterGradient(ParameterID)
    case state(StateID)
    /// Memory that one step writes for a later one.
    case saved(SavedBuffer)
    /// A part of a gradient that has no place of its own yet: see ``GradientLedger``.
    case share(Int)
}

/// The name of memory that one step writes for a later one, perhaps a step of another node.
struct SavedBuffer: Hashable, Sendable {
    /// The output of the node that the memory belongs to.
    let owner: TensorID
    /// The meaning of the numbers: `argmax`, `statistics`.
    let role: String
}

/// What a step does with a buffer.
enum Access: Sendable {
    case read
    /// Every element is overwritten, or is never read.
    case write
    /// Numbers are added to those that are there.
    case accumulate
    /// Numbers are read and replaced.
    case update
}

/// A buffer that a step uses.
struct Operand: Sendable {
    let buffer: Buffer
    let access: Access
}
