/// A layer with one set of parameters for all its uses: wherever this value stands in a model, it computes with the
/// same parameters, and their gradients are the sums over all uses.
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
/// The parameters are named after the first use, `shared/conv2d/kernel`, are initialised, saved and counted once, and
/// have the shapes that they had there: an input that needs other shapes is a ``ShapeError``. Copies of this value are
/// one layer; another value made from an equal layer is another one.
///
/// States are shared, too. A ``BatchNorm`` normalises each use with the statistics of that use's batch, and each use
/// moves the running statistics, in the order in which they run; in evaluation all uses normalise with the same.
public struct Shared: Layer {
    /// What is shared.
    public let layer: any Layer
    public var name: String?

    /// What copies of a value have in common, and no other value.
    final class Identity: Sendable {}
    let identity = Identity()

    /// - Parameters:
    ///   - layer: the layer to share, with all layers that it holds.
    ///   - name: the name in paths; `nil` for a name from the type of `layer`.
    public init(_ layer: any Layer, name: String? = nil) {
        self.layer = layer
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.sharedScope(of: identity, named: name ?? "shared") { try graph.apply(layer, to: input) }
    }
}
