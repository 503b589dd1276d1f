/// Normalises each channel to mean 0 and variance 1 over the batch and all positions, then scales and shifts the
/// channel (Ioffe and Szegedy 2015).
///
/// Parameters: `gamma`, `beta`; states: `moving_mean`, `moving_variance`; all [channels].
public struct BatchNorm: Layer {
    /// The share of the running statistics that a step keeps.
    public var momentum: Float
    /// The number added to the variance.
    public var epsilon: Float
    /// True if the running variance takes the unbiased variance, as in PyTorch; Keras takes the biased one.
    public var unbiasedRunningVariance: Bool
    public var name: String?

    /// A normalisation; the defaults are Keras' values.
    public init(
        momentum: Float = 0.99, epsilon: Float = 1e-3, unbiasedRunningVariance: Bool = false, name: String? = nil
    ) {
        self.momentum = momentum
        self.epsilon = epsilon
        self.unbiasedRunningVariance = unbiasedRunningVariance
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        guard momentum >= 0, momentum <= 1, epsilon >= 0, epsilon.isFinite else {
            throw ShapeError(
                subject: graph.currentName, expected: "a momentum of 0 … 1 and an epsilon of at least 0",
                found: "\(momentum) and \(epsilon)")
        }
        let channels: Shape = [input.shape[-1]]
        func vector(_ name: String, _ initializer: Initializer) throws -> ParameterID {
            try graph.parameter(
                name, shape: channels, initialization: initializer.initialization(fanIn: 1, fanOut: 1))
        }
        return try graph.add(
            BatchNormOperation(
                shape: input.shape, momentum: momentum, epsilon: epsilon,
                unbiasedRunningVariance: unbiasedRunningVariance),
            inputs: [input], parameters: [vector("gamma", .ones), vector("beta", .zeros)],
            states: [
                graph.state("moving_mean", shape: channels, value: 0),
                graph.state("moving_variance", shape: channels, value: 1),
            ], outputShape: input.shape)
    }
}

/// Sets each element to zero with probability `rate` in training and scales the others by 1/(1 − rate); does nothing in
/// evaluation.
public struct Dropout: Layer {
    /// The probability of dropping an element, 0 ..< 1.
    public var rate: Float
    public var name: String?

    /// - Parameters:
    ///   - rate: the probability of dropping an element, 0 ..< 1.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(_ rate: Float, name: String? = nil) {
        self.rate = rate
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        guard rate >= 0, rate < 1 else {
            throw ShapeError(subject: graph.currentName, expected: "a rate of 0 ..< 1", found: "\(rate)")
        }
        return try graph.add(
            DropoutOperation(rate: rate, elementCount: input.shape.elementCount), inputs: [input],
            outputShape: input.shape)
    }
}
