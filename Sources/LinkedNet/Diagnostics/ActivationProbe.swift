/// Shows the activations of a network, which the network itself forms on the fly and never stores.
///
/// A probe has a copy of the network. The copy computes every activation with an operation of its own, and takes over
/// the network's weights before each use. A probe costs the memory of a second network. A pass of the copy takes about
/// twice as long as a forward pass of the network.
public final class ActivationProbe {
    /// An activation of the network.
    public struct ProbedLayer: Sendable, Hashable {
        /// The path of the layer before the activation: `conv2d_7`.
        public let name: String
        /// The number of neurons: units of a dense layer, channels of a convolution. Linked members count as one
        /// neuron.
        public let units: Int
        /// The number of places of the image at which each neuron is computed; 1 after a dense layer.
        public let positions: Int
        /// The number of members that share a pre-activation; 1 without a linkage.
        public let members: Int
        fileprivate let operation: Int
    }

    /// The activations in the order in which they are computed.
    public let layers: [ProbedLayer]
    private let copy: Network
    /// For each operation, the index in ``layers`` of the layer that the operation computes.
    private let layerOfOperation: [Int?]

    /// A probe for `network`.
    ///
    /// - Parameters:
    ///   - model: the model that the network was compiled from.
    ///   - network: the network to look at.
    /// - Throws: ``ShapeError`` if the network was compiled from another model, ``OutOfMemory``.
    public init(_ model: some Layer, of network: Network) throws {
        let copy = try Network(
            model, input: network.inputShape, batch: network.batchSize, seed: network.seed, fusesActivations: false)
        guard copy.parameterLayout.entries == network.parameterLayout.entries,
            copy.stateLayout.entries == network.stateLayout.entries
        else {
            throw ShapeError(
                subject: "probe", expected: "the model that the network was compiled from",
                found: "one with other parameters")
        }
        self.copy = copy
        var layers: [ProbedLayer] = []
        layerOfOperation = copy.operations.enumerated().map { index, operation in
            guard let members = operation.activationMemberCount else { return nil }
            let units = operation.outputShape[-1] / members
            // BatchNorm stands between a layer and its activation.
            let source = copy.operations[..<index].last { $0.parameterCount > 0 && !$0.isNormalization }
            layers.append(
                ProbedLayer(
                    name: source?.name ?? operation.name, units: units,
                    positions: operation.outputShape.elementCount / operation.outputShape[-1], members: members,
                    operation: index))
            return layers.count - 1
        }
        self.layers = layers
    }

    /// Takes over the weights that `network` has now.
    func update(from network: Network) {
        _ = copy.parameters.update(from: network.parameters)
        _ = copy.states.update(from: network.states)
    }

    /// Shows all activations of some samples in evaluation mode, one micro-batch after the other.
    ///
    /// - Parameter body: gets the index and the output of each layer, [samples][positions][members][units].
    func forEachActivation(
        pixels: UnsafePointer<Float>, count: Int, _ body: (_ layer: Int, _ output: UnsafeBufferPointer<Float>) -> Void
    ) throws(ShapeError) {
        let show = { (body: @escaping (Int, UnsafeBufferPointer<Float>) -> Void) throws(ShapeError) in
            for start in stride(from: 0, to: count, by: self.copy.microBatchSize) {
                let pass = UnsafeBufferPointer(
                    start: pixels + start * self.copy.inputShape.elementCount,
                    count: min(self.copy.microBatchSize, count - start) * self.copy.inputShape.elementCount)
                try self.copy.forward(input: pass.span, mode: .inference) { operation, output in
                    if let layer = self.layerOfOperation[operation] { body(layer, output) }
                }
            }
        }
        try withoutActuallyEscaping(body) { body throws(ShapeError) in try show(body) }
    }

    // MARK: Drift

    /// The distribution of the numbers of a layer.
    public struct Distribution: Sendable, Hashable {
        /// The mean of the numbers.
        public let mean: Double
        /// The mean squared distance of the numbers from ``mean``.
        public let variance: Double
    }

    /// The distribution of each layer's activations over some samples, members, units and positions together. The next
    /// layer gets these activations as its input, so the distribution's change in training is the covariate shift.
    ///
    /// - Parameters:
    ///   - network: the network that gives the weights.
    ///   - pixels: [count] + ``Network/inputShape``.
    ///   - count: at least 1.
    /// - Throws: ``ShapeError`` if the network refuses the number of samples.
    public func distributions(
        of network: Network, pixels: UnsafePointer<Float>, count: Int
    ) throws(ShapeError) -> [Distribution] {
        update(from: network)
        var result = Array(repeating: Distribution(mean: 0, variance: 0), count: layers.count)
        var counts = Array(repeating: 0.0, count: layers.count)
        try forEachActivation(pixels: pixels, count: count) { layer, output in
            var sum = 0.0
            for element in output { sum += Double(element) }
            let mean = sum / Double(output.count)
            var squares = 0.0
            for element in output { squares += (Double(element) - mean) * (Double(element) - mean) }
            // The variance of two sets together is the mean of their variances, plus a term for the distance of their
            // means.
            let (before, whole) = (result[layer], counts[layer] + Double(output.count))
            let share = Double(output.count) / whole
            let distance = mean - before.mean
            result[layer] = Distribution(
                mean: before.mean + distance * share,
                variance: before.variance * (1 - share) + squares / whole + distance * distance * share * (1 - share))
            counts[layer] = whole
        }
        return result
    }
}
