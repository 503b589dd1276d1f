/// The sum of a body and its input: body(x) + projection(x). Without a projection, x itself is added (He et al. 2016).
public struct Residual: Layer {
    /// The layers whose output is added to the shortcut, in order.
    public let body: [any Layer]
    /// The layers of the shortcut, in order; `nil` if the shortcut is the input itself.
    public let projection: [any Layer]?
    public var name: String?

    /// body(x) + x. The body must keep the shape.
    public init(name: String? = nil, @LayerBuilder body: () throws -> [any Layer]) rethrows {
        self.name = name
        self.body = try body()
        projection = nil
    }

    /// body(x) + projection(x). Both must give the same shape.
    public init(
        name: String? = nil, @LayerBuilder body: () throws -> [any Layer],
        @LayerBuilder projection: () throws -> [any Layer]
    ) rethrows {
        self.name = name
        self.body = try body()
        self.projection = try projection()
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let main = try body.reduce(input) { try graph.apply($1, to: $0) }
        let shortcut = try graph.scope("projection") {
            try (projection ?? []).reduce(input) { try graph.apply($1, to: $0) }
        }
        guard main.shape == shortcut.shape else {
            throw ShapeError(
                subject: graph.currentName, expected: "a body that gives the shortcut's shape \(shortcut.shape)",
                found: main.shape.description)
        }
        return try graph.add(
            AddOperation(elementCount: main.shape.elementCount), inputs: [main, shortcut], outputShape: main.shape)
    }
}

/// The outputs of several branches of the same input, side by side as channels.
///
/// ```swift
/// Concat {
///     Conv2D(16, kernel: 1)
///     Sequential {
///         Conv2D(16, kernel: 1)
///         Conv2D(16, kernel: 3, padding: .same)
///     }
/// }
/// ```
public struct Concat: Layer {
    /// The branches; a branch of several layers is a ``Sequential``.
    public let branches: [any Layer]
    public var name: String?

    /// A concatenation in which every listed layer is a branch.
    public init(name: String? = nil, @LayerBuilder branches: () throws -> [any Layer]) rethrows {
        self.name = name
        self.branches = try branches()
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let outputs = try branches.map { try graph.apply($0, to: input) }
        guard let first = outputs.first else {
            throw ShapeError(subject: graph.currentName, expected: "at least one branch", found: "none")
        }
        for other in outputs where other.shape.dimensions.dropLast() != first.shape.dimensions.dropLast() {
            throw ShapeError(
                subject: graph.currentName, expected: "branches that differ in channels only, like \(first.shape)",
                found: other.shape.description)
        }
        let channels = outputs.map { $0.shape[-1] }
        // The sum saturates instead of overflowing, and the shape's check refuses the saturated sum.
        let sum = channels.reduce(0) { $0 > .max - $1 ? .max : $0 + $1 }
        let shape = try Shape(first.shape.dimensions.dropLast() + [sum]).validated(as: graph.currentName)
        return try graph.add(
            ConcatOperation(positions: first.shape.elementCount / first.shape[-1], channels: channels),
            inputs: outputs, outputShape: shape)
    }
}
