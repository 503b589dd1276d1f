/// Layers one after the other.
///
/// ```swift
/// let model = try Sequential {
///     Conv2D(32, kernel: 3, padding: .same)
///     LinkedActivation(.mirrored(.relu))
///     for _ in 0..<4 {
///         Conv2D(32, kernel: 3, padding: .same)
///         LinkedActivation(.mirrored(.relu))
///     }
///     GlobalAveragePool2D()
///     Dense(10)
/// }
/// ```
public struct Sequential: Layer {
    /// The layers in the order in which they run.
    public let layers: [any Layer]

    /// The layers that `content` lists.
    public init(@LayerBuilder _ content: () throws -> [any Layer]) rethrows {
        layers = try content()
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try layers.reduce(input) { try graph.apply($1, to: $0) }
    }
}

/// Collects the layers that a closure lists, with `if`, `switch` and `for` as in any Swift code.
@resultBuilder
public enum LayerBuilder {
    /// A layer that stands alone in a line.
    public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
    /// Several layers that an expression gives.
    public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
    /// The lines of a block, in order.
    public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap(\.self) }
    /// An `if` without `else`.
    public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
    /// The first branch of an `if` or `switch`.
    public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
    /// Another branch of an `if` or `switch`.
    public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
    /// The iterations of a `for`, in order.
    public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap(\.self) }
    /// A block under `if #available`.
    public static func buildLimitedAvailability(_ part: [any Layer]) -> [any Layer] { part }
}

/// A whole network, given by a list of layers.
///
/// ```swift
/// struct Tiny: Model {
///     func layers() throws -> [any Layer] {
///         Flatten()
///         Dense(10)
///     }
/// }
/// ```
public protocol Model: Layer {
    /// The layers, in the order in which they run.
    @LayerBuilder func layers() throws -> [any Layer]
}

extension Model {
    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try layers().reduce(input) { try graph.apply($1, to: $0) }
    }
}
