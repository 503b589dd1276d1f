/// A layer with one set of parameters for all its uses. Every use of this value in a model computes with the same
/// parameters, and the parameters' gradients are the sums over all uses.
///
/// ```swift
/// let shared = Shared(Conv2D(16, kernel: 3, padding: .same))
/// let model = Sequential {
///     Conv2D(16, kernel: 1)
///     shared
///     Activation(.relu)
///     shared
/// }
/// ```
///
/// The parameters have the names of the first use, `shared/conv2d/kernel`, and are initialised, saved and counted once.
/// The first use sets the parameters' shapes: an input that needs other shapes is a ``ShapeError``. Copies of this
/// value are one layer. Another value made from an equal layer is another layer.
///
/// States are shared, too. A ``BatchNorm`` normalises each use with the statistics of this use's batch. Each use moves
/// the running statistics, in the order in which the uses run. In evaluation all uses normalise with the same
/// statistics.
public struct Shared: Layer {
    /// The shared layer.
    public let layer: any Layer
    public var name: String?

    /// An identity that all copies of a value have in common, and no other value has.
    final class Identity: Sendable {}
    let identity = Identity()

    /// - Parameters:
    ///   - layer: the layer to share, with all layers that it holds.
    ///   - name: the name in paths; `nil` for `shared`.
    public init(_ layer: any Layer, name: String? = nil) {
        self.layer = layer
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.sharedScope(of: identity, named: name ?? "shared") { try graph.apply(layer, to: input) }
    }
}
