/// The output of a layer while a network is being built: a shape, and the source of the numbers.
///
/// Applying an activation that the kernels can fuse computes nothing. The value then stands for `activation(z)` while
/// only z is stored. A convolution, a dense layer and max-pooling form the activation as they read. For any other
/// consumer, ``GraphBuilder/materialized(_:)`` computes the activation once.
public struct Value: Sendable {
    /// The shape of one sample for a consumer: `[height, width, channels]` or `[features]`.
    public let shape: Shape

    /// The stored tensor.
    let tensor: TensorID
    let activation: PendingActivation?
}

/// An activation that a consumer still has to apply to the stored tensor.
struct PendingActivation: Sendable {
    /// The number of this application in the graph; two values with the same number are the same numbers.
    let id: Int
    let function: FusibleActivation
    let slopes: ParameterID?
    /// The pre-activation z is [positions][channels].
    let positions, channels: Int
}

struct TensorID: Hashable, Sendable {
    let index: Int
}

/// A parameter of the network being built.
public struct ParameterID: Hashable, Sendable {
    let index: Int
}

/// A state of the network being built: saved with the weights, not trained.
public struct StateID: Hashable, Sendable {
    let index: Int
}
