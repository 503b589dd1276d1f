/// A layer of a network: a value that describes a computation, and adds the computation to a graph when a network is
/// compiled.
///
/// A layer of your own conforms to this protocol, and either composes other layers or adds a ``GraphOperation``. Shapes
/// are inferred from the input, so no shape is typed twice.
///
/// Layers are values and hold no weights. A layer that is used twice in a model becomes two layers, each with
/// parameters of its own. ``Shared`` makes the two uses one layer.
public protocol Layer: Sendable {
    /// The name in parameter paths and summaries; `nil` for the type's name in snake case (`conv2d`). Repeated names
    /// get numbers, so that no two parameters of a network share a name.
    var name: String? { get }

    /// Adds the layer's operations to `graph` and returns their output.
    ///
    /// - Throws: ``ShapeError`` if the input's shape doesn't fit.
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value
}

extension Layer {
    public var name: String? { nil }
}

extension GraphBuilder {
    /// Adds a layer under its name. Adds the layers of a ``Sequential`` or a ``Model`` under their own names, and a
    /// ``Shared`` layer under the name of its first use.
    public func apply(_ layer: any Layer, to input: Value) throws -> Value {
        // A layer that only groups other layers doesn't appear in names. A shared layer has its name from its first
        // use.
        if layer is Sequential || layer is any Model || layer is Shared { return try layer.build(input, in: self) }
        return try scope(layer.name ?? Self.defaultName(of: layer)) { try layer.build(input, in: self) }
    }

    /// `Conv2D` → `conv2d`, `LinkedActivation` → `linked_activation`.
    private static func defaultName(of layer: any Layer) -> String {
        var name = ""
        var previousIsLowercase = false
        for character in String(describing: type(of: layer)).prefix(while: { $0 != "<" }) {
            if character.isUppercase, previousIsLowercase { name.append("_") }
            previousIsLowercase = character.isLowercase
            name.append(contentsOf: character.lowercased())
        }
        return name
    }
}

extension Network {
    /// Compiles a model: infers shapes, fuses activations, chooses algorithms, plans memory, and initialises the
    /// weights.
    ///
    /// - Parameters:
    ///   - model: a layer, usually a ``Sequential`` or a ``Model``.
    ///   - input: the shape of one sample, `[height, width, channels]` or `[features]`.
    ///   - batch: the largest number of samples in a training step.
    ///   - seed: initial weights and dropout are functions of the seed.
    ///   - fusesActivations: if false, the network computes and stores every activation, for callers that inspect
    ///     activations.
    /// - Throws: ``ShapeError`` naming the layer that doesn't fit, ``LinkageError``, or ``OutOfMemory``.
    public convenience init(
        _ model: some Layer, input: Shape, batch: Int = 32, seed: UInt64 = 0, fusesActivations: Bool = true
    ) throws {
        try self.init(
            model, input: input, batch: batch, seed: seed, fusion: fusesActivations ? .everything : .allButActivations)
    }

    /// Does the same as ``init(_:input:batch:seed:fusesActivations:)``.
    ///
    /// - Parameters:
    ///   - fusion: the operations that are computed together.
    ///   - accept: gets all parameters and states before the network takes memory for them; an error of `accept` ends
    ///     compiling.
    convenience init(
        _ model: some Layer, input: Shape, batch: Int, seed: UInt64, fusion: Fusion = .everything,
        accept: ([ParameterInfo]) throws -> Void = { _ in }
    ) throws {
        let builder = try GraphBuilder(inputShape: input, fusion: fusion)
        let output = try builder.apply(model, to: builder.input)
        var identified: Graph?
        if fusion != .everything {
            // The digest belongs to the model, not to what the network computes together.
            let fused = try GraphBuilder(inputShape: input, fusion: .everything)
            identified = try fused.finished(output: fused.apply(model, to: fused.input))
        }
        try self.init(
            builder: builder, output: output, batch: batch, seed: seed, identified: identified, accept: accept)
    }
}
