/// A fully connected layer of a flat input.
///
/// Parameters: `kernel` [features, units] and, unless switched off, `bias` [units].
public struct Dense: Layer {
    /// The number of output features.
    public var units: Int
    /// True if a bias is added.
    public var usesBias: Bool
    /// The first values of the weights.
    public var kernelInitializer: Initializer
    /// The first values of the bias.
    public var biasInitializer: Initializer
    public var name: String?

    /// - Parameters:
    ///   - units: the number of output features.
    ///   - usesBias: true if a bias is added.
    ///   - kernelInitializer: the first values of the weights.
    ///   - biasInitializer: the first values of the bias.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(
        _ units: Int, usesBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, name: String? = nil
    ) {
        self.units = units
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let operation = try WeightedOperation(
            multiplying: input, units: units, usesBias: usesBias, name: graph.currentName)
        var parameters = [
            try graph.parameter(
                "kernel", shape: [input.shape[0], units],
                initialization: kernelInitializer.initialization(fanIn: input.shape[0], fanOut: units))
        ]
        if usesBias {
            parameters.append(
                try graph.parameter(
                    "bias", shape: [units],
                    initialization: biasInitializer.initialization(fanIn: units, fanOut: units)))
        }
        return try graph.addFusing(operation, input: input, parameters: parameters, outputShape: [units])
    }
}

/// Makes the input flat, in row-major order.
public struct Flatten: Layer {
    public var name: String?

    /// A layer that flattens; it has no parameters.
    public init(name: String? = nil) {
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.reshaped(input, to: [input.shape.elementCount])
    }
}
