/// Applies an activation function to every element.
///
/// The compiler fuses built-in functions into a following convolution or dense layer, or into max-pooling as
/// ``MaxPool2D`` says. PReLU adds a parameter `slopes`.
public struct Activation: Layer {
    /// g
    public var function: ActivationFunction
    public var name: String?

    /// g(z) for every element z.
    public init(_ function: ActivationFunction, name: String? = nil) {
        self.function = function
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.activate(input, members: [Linkage.Member(function)])
    }
}

/// Applies a linkage: an input of C channels becomes d·C for d members, member after member.
///
/// The compiler fuses linkages of built-in functions into a following convolution or dense layer, or into max-pooling
/// as ``MaxPool2D`` says. The linked tensor is then never stored. PReLU members add a parameter `slopes`, with one set
/// of slopes for each member.
public struct LinkedActivation: Layer {
    /// The members.
    public var linkage: Linkage
    public var name: String?

    /// All members of `linkage` for every element z.
    public init(_ linkage: Linkage, name: String? = nil) {
        self.linkage = linkage
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.activate(input, members: linkage.members)
    }
}

extension GraphBuilder {
    /// Applies `members` to `input`: fused if the kernels know all members, by an operation in Swift otherwise.
    fileprivate func activate(_ input: Value, members: [Linkage.Member]) throws -> Value {
        // A pending activation is computed first, because an activation doesn't fuse into another activation.
        let input = try materialized(input)
        let channels = input.shape[-1]
        let positions = input.shape.elementCount / channels
        guard let function = try fusible(members) else {
            let operation = ElementFunctionOperation(
                members: try members.map { member in
                    .init(
                        function: try elementFunction(member.function), inputScale: member.inputScale,
                        outputScale: member.outputScale)
                }, positions: positions, channels: channels)
            return try add(
                operation, inputs: [input], outputShape: linkedShape(input.shape, members: members.count))
        }
        var slopes: ParameterID?
        if function.slopedMemberCount > 0 {
            let own = function.slopeSharing == .perChannel ? [channels] : input.shape.dimensions
            let sets = function.slopedMemberCount == 1 ? [] : [function.slopedMemberCount]
            slopes = try parameter(
                "slopes", shape: Shape(sets + own),
                initialization: Initializer.zeros.initialization(fanIn: 1, fanOut: 1))
        }
        return try applying(function, slopes: slopes, to: input)
    }

    /// The members as a fusible activation; `nil` if a member is computed in Swift or there are too many members.
    private func fusible(_ members: [Linkage.Member]) throws(ShapeError) -> FusibleActivation? {
        guard members.count <= FusibleActivation.maximumMemberCount else { return nil }
        var result = FusibleActivation(members: [])
        var sharing: SlopeSharing?
        for member in members {
            guard case .builtIn(let function, let ownSharing) = member.function.kind else { return nil }
            result.members.append(
                .init(function: function, inputScale: member.inputScale, outputScale: member.outputScale))
            guard function == .prelu else { continue }
            guard sharing == nil || sharing == ownSharing else {
                throw ShapeError(
                    subject: currentName, expected: "PReLU members that share slopes in the same way",
                    found: "per channel and per position")
            }
            sharing = ownSharing
        }
        result.slopeSharing = sharing ?? .perPosition
        return result
    }

    private func elementFunction(_ function: ActivationFunction) throws(ShapeError) -> ElementFunction {
        switch function.kind {
        case .custom(let function): return function
        case .builtIn(.prelu, _):
            throw ShapeError(
                subject: currentName,
                expected:
                    "PReLU linked with at most \(FusibleActivation.maximumMemberCount - 1) other built-in functions",
                found: "PReLU beside a custom function or among more members")
        case .builtIn(let scalar, _):
            return ElementFunction(
                name: function.name, value: { scalar.value($0) }, derivative: { Float(scalar.derivative(Double($0))) })
        }
    }
}
