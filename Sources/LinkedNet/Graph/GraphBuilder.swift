/// The graph of a network while layers add to it.
///
/// A layer gets a builder in ``Layer/build(_:in:)``, declares parameters, and adds operations. Names are paths made of
/// the layers' names: `residual_2/conv2d_1/kernel`.
public final class GraphBuilder {
    /// Fills a parameter with its first values.
    public typealias Initialization = @Sendable (UnsafeMutableBufferPointer<Float>, inout CounterRandom) -> Void

    /// The network's input.
    public let input: Value

    /// The operations that the network computes together.
    let fusion: Fusion
    private(set) var graph: Graph
    private var scopes = ScopeTree()
    /// The scope of the layer being built.
    private var scope = ScopeTree.root
    private var nodeScopes: [Int] = []
    private var parameterNames: [ScopedName] = []
    private var stateNames: [ScopedName] = []
    /// The scopes by their owners. The dictionary keeps the owners, so that no other object takes their identity.
    private var sharedScopes: [ObjectIdentifier: (owner: AnyObject, scope: Int)] = [:]
    /// Set while a shared layer is built another time.
    private var repeated: RepeatedUse?
    private var materializedValues: [Int: Value] = [:]
    private var activationCount = 0

    /// A graph that has only an input.
    ///
    /// - Throws: ``ShapeError`` if a size isn't positive.
    init(inputShape: Shape, fusion: Fusion) throws(ShapeError) {
        let shape = try inputShape.validated(as: "network input")
        guard shape.rank >= 1 else {
            throw ShapeError(subject: "network input", expected: "at least one dimension", found: shape.description)
        }
        self.fusion = fusion
        graph = Graph(tensorShapes: [shape])
        input = Value(shape: shape, tensor: TensorID(index: 0), activation: nil)
    }

    // MARK: Names

    /// The path of the layer being built, to name it in errors.
    public var currentName: String { scopes.path(of: scope).isEmpty ? "network" : scopes.path(of: scope) }

    /// Runs `body` inside a scope called `name`, made unique among its siblings by a number: `conv2d`, `conv2d_1`.
    public func scope<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
        try entering(nextScope(name), body)
    }

    private func entering<Result>(_ scope: Int, _ body: () throws -> Result) rethrows -> Result {
        let outer = self.scope
        self.scope = scope
        defer { self.scope = outer }
        return try body()
    }

    /// A new scope; within a repeated use of a shared layer, the scope of the first use.
    private func nextScope(_ name: String) -> Int {
        if var repeated {
            let candidates = scopes.children(of: scope, named: name).filter { candidate in
                !repeated.visited.contains(candidate) && !sharedScopes.values.contains { $0.scope == candidate }
            }
            if let known = candidates.first {
                repeated.visited.insert(known)
                self.repeated = repeated
                return known
            }
        }
        return scopes.add(name, in: scope)
    }

    /// Runs `body`, which builds a layer, in a scope that belongs to `owner`. The first use gets a new scope called
    /// `name`. Later uses get the same scope, where declaring a parameter or a state gives the parameter or state of
    /// the first use.
    func sharedScope<Result>(
        of owner: AnyObject, named name: String, _ body: () throws -> Result
    ) rethrows -> Result {
        let outer = repeated
        defer { repeated = outer }
        guard let known = sharedScopes[ObjectIdentifier(owner)] else {
            repeated = nil
            let new = scopes.add(name, in: scope)
            sharedScopes[ObjectIdentifier(owner)] = (owner, new)
            return try entering(new, body)
        }
        repeated = RepeatedUse()
        return try entering(known.scope, body)
    }

    /// The finished graph, with the names that parameters, states and operations have in the network.
    ///
    /// - Throws: ``ShapeError`` if two parameters or states have one name.
    func finished(output: Value) throws -> Graph {
        let output = try materialized(output)
        graph.output = output.tensor
        return try namedGraph()
    }

    private func namedGraph() throws(ShapeError) -> Graph {
        let weights = parameterNames + stateNames
        func names(_ paths: (Int) -> String) -> [String] {
            weights.map { $0.scope == ScopeTree.root ? $0.name : "\(paths($0.scope))/\($0.name)" }
        }
        var graph = graph
        let simple = names(scopes.path)
        if Set(simple).count == simple.count { return graph }
        // A network whose names differ keeps the names, because its checkpoints have the same names.
        let paths = scopes.pathsOfFreeNames()
        let free = names { paths[$0] }
        var seen: Set<String> = []
        for (index, name) in free.enumerated() where !seen.insert(name).inserted {
            throw ShapeError(
                subject: paths[weights[index].scope], expected: "names used once",
                found: "\(weights[index].name) twice")
        }
        for index in graph.parameters.indices { graph.parameters[index].name = free[index] }
        for index in graph.states.indices { graph.states[index].name = free[parameterNames.count + index] }
        for index in graph.nodes.indices where nodeScopes[index] != ScopeTree.root {
            graph.nodes[index].name = paths[nodeScopes[index]]
        }
        return graph
    }

    // MARK: Parameters and states

    /// Declares a trained parameter of the layer being built.
    ///
    /// - Throws: ``ShapeError`` if the shape isn't valid, or the layer has a parameter of this name already; within a
    ///   repeated use of a ``Shared`` layer, if the first use declared no parameter of this name and shape.
    public func parameter(
        _ name: String, shape: Shape, initialization: @escaping Initialization
    ) throws(ShapeError) -> ParameterID {
        let own = ScopedName(scope: scope, name: name)
        if let known = parameterNames.firstIndex(of: own), repeated != nil {
            try check(shape, ofRepeated: graph.parameters[known].name, declared: graph.parameters[known].shape)
            return ParameterID(index: known)
        }
        let fullName = try newName(own)
        graph.parameters.append(
            .init(
                name: fullName, shape: try shape.validated(as: fullName), initialization: initialization))
        parameterNames.append(own)
        return ParameterID(index: graph.parameters.count - 1)
    }

    /// Declares numbers that are saved with the weights but not trained, all `value` at first.
    ///
    /// - Throws: ``ShapeError`` as ``parameter(_:shape:initialization:)``.
    public func state(_ name: String, shape: Shape, value: Float) throws(ShapeError) -> StateID {
        let own = ScopedName(scope: scope, name: name)
        if let known = stateNames.firstIndex(of: own), repeated != nil {
            try check(shape, ofRepeated: graph.states[known].name, declared: graph.states[known].shape)
            return StateID(index: known)
        }
        let fullName = try newName(own)
        graph.states.append(.init(name: fullName, shape: try shape.validated(as: fullName), value: value))
        stateNames.append(own)
        return StateID(index: graph.states.count - 1)
    }

    private func newName(_ own: ScopedName) throws(ShapeError) -> String {
        guard !parameterNames.contains(own), !stateNames.contains(own) else {
            throw ShapeError(subject: currentName, expected: "names used once", found: "\(own.name) twice")
        }
        guard repeated == nil else {
            throw ShapeError(
                subject: currentName, expected: "the parameters and states of the shared layer's first use",
                found: "\(own.name) beside them")
        }
        return scope == ScopeTree.root ? own.name : "\(scopes.path(of: scope))/\(own.name)"
    }

    private func check(_ shape: Shape, ofRepeated name: String, declared: Shape) throws(ShapeError) {
        guard shape == declared else {
            throw ShapeError(
                subject: name, expected: "\(declared), the shape at the shared layer's first use",
                found: shape.description)
        }
    }

    // MARK: Operations

    /// Adds an operation that reads `inputs` and gives a tensor of `outputShape` per sample. The network computes
    /// pending activations of the inputs first.
    ///
    /// - Throws: ``ShapeError`` if `outputShape` isn't valid.
    public func add(
        _ operation: any GraphOperation, inputs: [Value], parameters: [ParameterID] = [], states: [StateID] = [],
        outputShape: Shape
    ) throws -> Value {
        try add(
            CustomOperation(operation: operation), inputs: inputs, parameters: parameters, states: states,
            outputShape: outputShape)
    }

    /// Adds a built-in operation, as ``add(_:inputs:parameters:states:outputShape:)``.
    func add(
        _ operation: any NodeOperation, inputs: [Value], parameters: [ParameterID] = [], states: [StateID] = [],
        outputShape: Shape
    ) throws -> Value {
        let stored = try inputs.map(materialized)
        return try append(
            operation, inputs: stored.map(\.tensor), parameters: parameters, states: states, outputShape: outputShape)
    }

    /// Adds an operation that forms the input's pending activation itself. The activation's slopes, if any, become the
    /// last parameter.
    func addFusing(
        _ operation: any NodeOperation, input: Value, parameters: [ParameterID], outputShape: Shape
    ) throws -> Value {
        let slopes = input.activation?.slopes.map { [$0] } ?? []
        return try append(
            operation, inputs: [input.tensor], parameters: parameters + slopes, states: [], outputShape: outputShape)
    }

    private func append(
        _ operation: any NodeOperation, inputs: [TensorID], parameters: [ParameterID], states: [StateID],
        outputShape: Shape
    ) throws(ShapeError) -> Value {
        let shape = try outputShape.validated(as: currentName)
        guard shape.rank >= 1 else {
            throw ShapeError(subject: currentName, expected: "at least one dimension", found: shape.description)
        }
        graph.tensorShapes.append(shape)
        let output = TensorID(index: graph.tensorShapes.count - 1)
        graph.nodes.append(
            .init(
                name: currentName, operation: operation, inputs: inputs, output: output, parameters: parameters,
                states: states))
        nodeScopes.append(scope)
        return Value(shape: shape, tensor: output, activation: nil)
    }

    /// Applies an activation without computing the activation: the readers of the result compute the activation.
    func applying(
        _ function: FusibleActivation, slopes: ParameterID?, to value: Value
    ) throws -> Value {
        let plain = try materialized(value)
        let channels = plain.shape[-1]
        let positions = plain.shape.elementCount / channels
        activationCount += 1
        let value = Value(
            shape: try linkedShape(plain.shape, members: function.members.count), tensor: plain.tensor,
            activation: PendingActivation(
                id: activationCount, function: function, slopes: slopes, positions: positions, channels: channels))
        return fusion == .everything ? value : try materialized(value)
    }

    /// The shape of a linked tensor of pre-activations of `shape`.
    func linkedShape(_ shape: Shape, members: Int) throws(ShapeError) -> Shape {
        let (channels, overflow) = shape[-1].multipliedReportingOverflow(by: members)
        guard !overflow else {
            throw ShapeError(
                subject: currentName, expected: "sizes that fit in memory", found: "\(shape) with \(members) members")
        }
        return try Shape(shape.dimensions.dropLast() + [channels]).validated(as: currentName)
    }

    /// The same numbers in another shape.
    ///
    /// A flat shape keeps a pending activation pending. For any other shape, the network computes the activation first,
    /// because a reader of an image takes the image's positions and channels for the positions and channels of the
    /// pre-activation.
    ///
    /// - Throws: ``ShapeError`` if the number of elements differs, or a size isn't positive.
    public func reshaped(_ value: Value, to shape: Shape) throws -> Value {
        guard try shape.validated(as: currentName).elementCount == value.shape.elementCount, shape.rank >= 1 else {
            throw ShapeError(
                subject: currentName, expected: "\(value.shape.elementCount) elements", found: shape.description)
        }
        let source = shape == value.shape || shape.rank == 1 ? value : try materialized(value)
        return Value(shape: shape, tensor: source.tensor, activation: source.activation)
    }

    /// `value` with no activation pending. A node of its own computes the activation, once for all calls.
    public func materialized(_ value: Value) throws -> Value {
        guard let pending = value.activation else { return value }
        if let known = materializedValues[pending.id] {
            return Value(shape: value.shape, tensor: known.tensor, activation: nil)
        }
        let operation = try ActivationOperation(pending, name: currentName)
        let result = try addFusing(operation, input: value, parameters: [], outputShape: value.shape)
        materializedValues[pending.id] = result
        return result
    }
}

/// The name of a parameter or state within a scope.
private struct ScopedName: Hashable {
    let scope: Int
    let name: String
}

/// A use of a shared layer that isn't the first.
private struct RepeatedUse {
    /// The scopes of the first use that this use has entered.
    var visited: Set<Int> = []
}
