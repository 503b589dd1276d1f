/// The output of a layer while a network is being built: a shape, and where the numbers will come from.
///
/// An activation that the kernels can fuse isn't computed where it is applied. The value then stands for
/// `activation(z)` while only z is stored; a consumer that can form the activation as it reads (convolution, dense,
/// max-pooling) does so, any other has it computed once by ``GraphBuilder/materialized(_:)``.
public struct Value: Sendable {
    /// The shape of one sample as a consumer sees it: `[height, width, channels]` or `[features]`.
    public let shape: Shape

    /// The stored tensor.
    let tensor: TensorID
    let activation: PendingActivation?
}

/// An activation that a consumer still has to apply to the stored tensor.
struct PendingActivation: Sendable {
    /// Which application in the graph this is; two values with the same one are the same numbers.
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
