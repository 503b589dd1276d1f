/// Memory that steps of a plan read and write. Each workspace has its own copy of a buffer, except of parameters and
/// states.
enum Buffer: Hashable, Sendable {
    /// A tensor: [batch] + the tensor's shape. Tensor 0 is the batch that the caller gives.
    case value(TensorID)
    /// The gradient of the loss with respect to a tensor.
    case gradient(TensorID)
    case parameter(ParameterID)
    case parameterGradient(ParameterID)
    case state(StateID)
    /// Memory that one step writes for a later step.
    case saved(SavedBuffer)
    /// A part of a gradient that has no place of its own yet: see ``GradientLedger``.
    case share(Int)
}

/// The name of memory that one step writes for a later step, perhaps of another node.
struct SavedBuffer: Hashable, Sendable {
    /// The output of the node that the memory belongs to.
    let owner: TensorID
    /// The meaning of the numbers: `argmax`, `statistics`.
    let role: String
}

/// The way in which a step uses a buffer.
enum Access: Sendable {
    case read
    /// The step overwrites elements. The steps that write a buffer together overwrite every element that a later step
    /// reads.
    case write
    /// The step adds to the numbers in the buffer.
    case accumulate
    /// The step reads and replaces the numbers.
    case update
}

/// A buffer that a step uses.
struct Operand: Sendable {
    let buffer: Buffer
    let access: Access
}
