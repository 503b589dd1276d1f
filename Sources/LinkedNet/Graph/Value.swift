/// The output of a layer while a network is being built: a shape, and the source of the numbers.
///
/// Applying an activation that the kernels can fuse computes nothing. The value then stands for `activation(z)` while
/// only z is stored. A convolution, a dense layer and max-pooling form the activation as they read. For any other
/// reader, ``GraphBuilder/materialized(_:)`` computes the activation once.
public struct Value: Sendable {
    /// The shape of one sample for a reader: `[height, width, channels]` or `[features]`.
    public let shape: Shape

    /// The stored tensor.
    let tensor: TensorID
    let activation: PendingActivation?
}

/// An activation that a reader still has to apply to the stored tensor.
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

extension Value {
    /// - Throws: ``ShapeError`` naming `name` unless this shape is [height, width, channels].
    func expectImage(for name: String) throws(ShapeError) {
        guard shape.rank == 3 else {
            throw ShapeError(subject: name, expected: "an input of [height, width, channels]", found: shape.description)
        }
    }
}
