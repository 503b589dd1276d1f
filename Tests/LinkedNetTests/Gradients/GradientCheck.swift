import Testing

@testable import LinkedNet

/// Compares a network's gradients, which single-precision kernels compute, with central differences of the same layers
/// in the double-precision reference.
///
/// The check tries every parameter along its gradient (which shows a wrong size), along a random direction (which shows
/// a wrong sign or place), and along single coordinates. In large networks the check uses the sum of the first two
/// directions. The network's input is a parameter among the others.
struct GradientCheck {
    let network: Network
    private(set) var reference: ReferenceNetwork
    let labels: [Int32]
    private var random: CounterRandom

    /// Draws weights, input and labels from `seed`, and scales of normalisations around `gamma`. The numbers don't
    /// depend on the network's fusions.
    init(
        _ layers: [any Layer], input: Shape, batch: Int, seed: UInt64, gamma: Double = 1, fusion: Fusion = .everything
    ) throws {
        let all: [any Layer] = [TrainableInput(shape: input, batch: batch)] + layers
        let model = Sequential { all }
        network = try Network(model, input: [1], batch: batch, seed: seed, fusion: fusion)
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2000))
        // Weights that start as zeros or ones would hide errors.
        network.forEachWeight { info, elements in
            for index in elements.indices {
                if info.name.hasSuffix("bias") || info.name.hasSuffix("beta") || info.name.hasSuffix("slopes") {
                    elements[index] = Float(0.2 * random.normal())
                } else if info.name.hasSuffix("gamma") {
                    elements[index] = Float(gamma + 0.2 * random.normal())
                }
            }
        }
        var weights: [String: [Double]] = [:]
        network.forEachWeight { info, elements in weights[info.name] = elements.map(Double.init) }
        reference = ReferenceNetwork(layers: all, weights: weights)
        let classes = UInt64(network.outputShape.elementCount)
        labels = (0..<batch).map { _ in Int32(random.next(below: classes)) }
        self.random = random
        reference.dropoutMasks = network.operations.enumerated().compactMap { index, operation in
            guard operation.label.hasPrefix("Dropout"), let rate = Float(operation.label.dropFirst(8)) else {
                return nil
            }
            let key = CounterRandom.key(seed: seed, epoch: 0, sample: UInt64(index), use: .dropout)
            let count = batch * operation.outputShape.elementCount
            var mask = Array(repeating: Float(0), count: count)
            Elementwise.dropout(
                count: count, key: key, rate: rate, Array(repeating: 1, count: count), out: &mask, accumulate: false)
            return mask.map(Double.init)
        }
    }

    /// The allowed error of an output, as a share of the largest output, and of a derivative along a unit direction, as
    /// a share of the length of the parameter's gradient. The error is 32 times the effect of rounding the weights in
    /// exact arithmetic, for the roundings of all layers, forward and backward. Networks that hardly amplify errors
    /// count as amplifying tenfold.
    private static func tolerance(conditioning: Double) -> Double { 32 * 0x1p-24 * max(conditioning, 10) }

    /// Terms that cancel within a parameter leave errors of the terms' size. An example is the gradient of a bias in
    /// front of a batch normalisation, which is zero except for rounding. So the check allows this share of the
    /// tolerance on the length of all gradients together.
    private static let commonShare = 0.01

    /// The common share does not suffice where large terms cancel, as behind a BatchNorm of nearly equal values. The
    /// output's conditioning does not suffice where the gradients' conditioning is worse. In both cases roundings move
    /// a gradient as far as a move of every weight by one unit in the last place. The check also allows this many times
    /// this distance. The check measures the distance only where a gradient is beyond the tolerance: 1 of 4,000
    /// generated networks.
    private static let allowedSpreads = 4.0

    /// The number of roundings (2⁻²⁴ of the largest output) by which the output moves if every weight moves by 2⁻²⁴ of
    /// itself, up or down at random, in exact arithmetic.
    private mutating func conditioning(of start: ReferenceNetwork.Result, scale: Double) throws -> Double {
        let output = try moved(by: 0x1p-24).forward(count: labels.count).output
        let distance = zip(output.elements, start.output.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
        return distance / scale * 0x1p24
    }

    /// The reference with every weight moved by this share of itself, up or down at random.
    private mutating func moved(by share: Double) -> ReferenceNetwork {
        var moved = reference
        for name in moved.weights.keys.sorted() {
            let signs = (moved.weights[name] ?? []).map { _ in random.next() & 1 == 0 ? 1.0 : -1.0 }
            for (index, sign) in signs.enumerated() { moved.weights[name]?[index] *= 1 + sign * share }
        }
        return moved
    }

    /// True if errors of some roundings may cross a kink, which changes gradients by more than roundings.
    mutating func isNearKink() throws -> Bool {
        let decisions = try reference.forward(count: labels.count).decisions
        return try (0..<2).contains { _ in
            try moved(by: 0x1p-20).forward(count: labels.count).decisions != decisions
        }
    }

    /// True if the labels are so certain that gradients are too small for differences in double precision.
    func isSaturated() throws -> Bool { try reference.loss(labels: labels).loss < 1e-6 }

    /// The results of a pass of the network, forward and backward.
    private struct Outcome {
        let output: [Double]
        let gradients: [String: [Double]]
        /// The length of all gradients together.
        let commonLength: Double
    }

    /// A gradient's distance from the expected gradient.
    private struct Deviation {
        let name: String
        let error, tolerance: Double
        let text: Comment
    }

    private mutating func expectWithin(
        _ deviations: [Deviation], of check: GradientCheck, _ outcome: Outcome, sourceLocation: SourceLocation
    ) throws {
        let suffices = deviations.allSatisfy { $0.error <= $0.tolerance }
        let spread = suffices ? [:] : try spread(of: check, outcome, sourceLocation: sourceLocation)
        for deviation in deviations {
            let allowed = max(deviation.tolerance, Self.allowedSpreads * (spread[deviation.name] ?? 0))
            #expect(deviation.error <= allowed, deviation.text, sourceLocation: sourceLocation)
        }
    }

    /// The largest distance that each gradient of a network moves in passes with every weight one unit in the last
    /// place higher or lower, at random.
    private mutating func spread(
        of check: GradientCheck, _ outcome: Outcome, sourceLocation: SourceLocation
    ) throws -> [String: Double] {
        let weights = Array(check.network.parameters)
        // A gradient that depends on the pass before would spread, too, and hide an error.
        #expect(
            try check.outcome().gradients == outcome.gradients, "a second pass gave other gradients",
            sourceLocation: sourceLocation)
        var spread: [String: Double] = [:]
        for _ in 0..<8 {
            for (index, weight) in weights.enumerated() {
                check.network.parameters[index] = random.next() & 1 == 0 ? weight.nextUp : weight.nextDown
            }
            for (name, gradient) in try check.outcome().gradients {
                spread[name] = max(spread[name] ?? 0, Self.distance(gradient, outcome.gradients[name] ?? []))
            }
        }
        _ = check.network.parameters.update(fromContentsOf: weights)
        return spread
    }

    private static func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    private static func distance(_ x: [Double], _ y: [Double]) -> Double { length(zip(x, y).map { $0 - $1 }) }

    private func outcome() throws -> Outcome {
        let count = labels.count
        // Every unwritten number shows, except numbers that the library never writes.
        for (index, info) in network.parameterLayout.entries.enumerated() {
            let gradient = UnsafeMutableBufferPointer(
                rebasing: network.parameterGradients[network.parameterLayout.range(of: index)])
            gradient.update(repeating: ReadInside.holds(info.name) ? 0 : .nan)
        }
        let unread = Array(repeating: Float.nan, count: count)
        try network.forward(input: unread.span, mode: .training(step: 0))
        let size = network.outputShape.elementCount
        let output = (0..<count * size).map { Double(network.output[$0]) }
        _ = SoftmaxCrossEntropy().evaluate(
            output: network.output, labels: labels, count: count, classes: size, gradient: network.outputGradient)
        try network.backward(input: unread.span, step: 0)
        var gradients: [String: [Double]] = [:]
        for info in network.parameterLayout.entries {
            gradients[info.name] = try network.gradient(named: info.name).elements.map(Double.init)
        }
        return Outcome(
            output: output, gradients: gradients,
            commonLength: Self.length(gradients.values.map(Self.length)))
    }

    /// Expects a pass of another network with the same weights to give the same results, except for the roundings of
    /// both networks.
    mutating func expectSame(
        as other: GradientCheck, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let start = try reference.forward(count: labels.count)
        let scale = start.output.elements.reduce(1e-30) { max($0, abs($1)) }
        let tolerance = 2 * Self.tolerance(conditioning: try conditioning(of: start, scale: scale))
        let (own, others) = (try outcome(), try other.outcome())
        let distance = zip(own.output, others.output).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(distance <= scale * tolerance, "outputs", sourceLocation: sourceLocation)
        #expect(own.gradients.count == others.gradients.count, sourceLocation: sourceLocation)
        let deviations = own.gradients.map { name, gradient in
            let expected = others.gradients[name] ?? []
            return Deviation(
                name: name, error: Self.distance(gradient, expected),
                tolerance: tolerance * (Self.length(expected) + Self.commonShare * others.commonLength),
                text: "gradient of \(name)")
        }
        try expectWithin(deviations, of: other, others, sourceLocation: sourceLocation)
    }

    /// The directions along which the check tries each parameter.
    enum Thoroughness {
        /// Four directions.
        case full
        /// One direction: the sum of the gradient's direction and a random direction.
        case quick
    }

    /// Runs the comparison and expects all derivatives to match.
    mutating func run(_ thoroughness: Thoroughness = .full, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let count = labels.count
        let start = try reference.forward(count: count)

        let outcome = try outcome()
        let scale = start.output.elements.reduce(1e-30) { max($0, abs($1)) }
        let relativeTolerance = Self.tolerance(conditioning: try conditioning(of: start, scale: scale))
        for (index, expected) in start.output.elements.enumerated() {
            let error = abs(outcome.output[index] - expected)
            #expect(error <= scale * relativeTolerance, "output \(index)", sourceLocation: sourceLocation)
        }
        let (gradients, commonLength) = (outcome.gradients, outcome.commonLength)
        #expect(commonLength > 1e-3, "the gradients are too small to say anything", sourceLocation: sourceLocation)
        var deviations: [Deviation] = []
        for info in network.parameterLayout.entries {
            let gradient = gradients[info.name] ?? []
            let length = Self.length(gradient)
            let tolerance = relativeTolerance * (length + Self.commonShare * commonLength)
            for direction in directions(along: gradient, length: length, thoroughness) {
                let expected = try derivative(of: info.name, along: direction, decisions: start.decisions)
                let found = direction.reduce(0) { $0 + $1.value * gradient[$1.index] }
                deviations.append(
                    Deviation(
                        name: info.name, error: abs(found - expected), tolerance: tolerance,
                        text: "\(info.name): \(found), by differences \(expected), gradient's length \(length)"))
            }
        }
        try expectWithin(deviations, of: self, outcome, sourceLocation: sourceLocation)
    }

    private typealias Direction = [(index: Int, value: Double)]

    private mutating func directions(
        along gradient: [Double], length: Double, _ thoroughness: Thoroughness
    ) -> [Direction] {
        let step = 1 / Double(gradient.count).squareRoot()
        let signs = gradient.map { _ in random.next() & 1 == 0 ? step : -step }
        let steepest = gradient.map { length > 0 ? $0 / length : 0 }
        switch thoroughness {
        case .quick:
            return [gradient.indices.map { ($0, (steepest[$0] + signs[$0]) / 2) }]
        case .full:
            let coordinates = (0..<2).map { _ in Int(random.next(below: UInt64(gradient.count))) }
            return [Array(zip(gradient.indices, steepest)), Array(zip(gradient.indices, signs))].map { pairs in
                pairs.map { (index: $0.0, value: $0.1) }
            } + coordinates.map { [(index: $0, value: 1)] }
        }
    }

    /// The loss's derivative along a direction of one parameter, by a central difference that is too short to hold a
    /// kink.
    private mutating func derivative(of name: String, along direction: Direction, decisions: UInt64) throws -> Double {
        let start = reference.weights[name] ?? []
        defer { reference.weights[name] = start }
        // Short enough for the error h²·L‴/6, long enough for the rounding 1e-16/h.
        var length = 1e-5
        for _ in 0..<6 {
            var losses: [Double] = []
            var isSmooth = true
            for sign in [1.0, -1.0] {
                reference.weights[name] = start
                for (index, value) in direction { reference.weights[name]?[index] += sign * length * value }
                let (loss, here) = try reference.loss(labels: labels)
                losses.append(loss)
                isSmooth = isSmooth && here == decisions
            }
            if isSmooth { return (losses[0] - losses[1]) / (2 * length) }
            length /= 4
        }
        throw ReferenceError(description: "a kink too close to the weights of \(name)")
    }
}
