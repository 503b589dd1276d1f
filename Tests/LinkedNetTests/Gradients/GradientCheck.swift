import Testing

@testable import LinkedNet

/// Compares a network's gradients, which single-precision kernels compute, with central differences of the same layers
/// in the double-precision reference.
///
/// Every parameter is tried along its gradient (which shows a wrong size), along a random direction (a wrong sign or
/// place anywhere), and along single coordinates; in large networks along the sum of the first two. The network's input
/// is a parameter among the others.
struct GradientCheck {
    let network: Network
    private(set) var reference: ReferenceNetwork
    let labels: [Int32]
    private var random: CounterRandom

    /// Draws weights, input and labels from `seed`; scales of normalisations around `gamma`. They are the same whatever
    /// the network computes together.
    init(
        _ layers: [any Layer], input: Shape, batch: Int, seed: UInt64, gamma: Double = 1, fusion: Fusion = .everything
    ) throws {
        let all: [any Layer] = [TrainableInput(shape: input, batch: batch)] + layers
        let model = Sequential { all }
        network = try Network(model, input: [1], batch: batch, seed: seed, fusion: fusion)
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2000))
        // What starts as zeros or ones would hide errors.
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

    /// How far an output may be off, as a share of the largest, and a derivative along a unit direction, as a share of
    /// the length of the parameter's gradient: 32 times what rounding the weights alone does to the output in exact
    /// arithmetic, for the roundings of all layers, forward and backward. Networks that hardly amplify are taken to
    /// amplify tenfold.
    private static func tolerance(conditioning: Double) -> Double { 32 * 0x1p-24 * max(conditioning, 10) }

    /// What cancels within a parameter, such as the gradient of a bias in front of a batch normalisation, which is zero
    /// but for rounding, leaves errors of the size of its terms: this share of the tolerance is granted on the length
    /// of all gradients together.
    private static let commonShare = 0.01

    /// By how many roundings (2⁻²⁴ of the largest output) the output moves when every weight moves by 2⁻²⁴ of itself,
    /// up or down at random, in exact arithmetic.
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

    /// Whether errors of some roundings may take another side of a kink, which changes gradients by more than
    /// roundings.
    mutating func isNearKink() throws -> Bool {
        let decisions = try reference.forward(count: labels.count).decisions
        return try (0..<2).contains { _ in
            try moved(by: 0x1p-20).forward(count: labels.count).decisions != decisions
        }
    }

    /// What a pass of the network gave, forward and backward.
    private struct Outcome {
        let output: [Double]
        let gradients: [String: [Double]]
        /// Of all gradients together.
        let commonLength: Double
    }

    private func outcome() throws -> Outcome {
        let count = labels.count
        // Whatever isn't written shows, save what the library never writes.
        for (index, info) in network.parameterLayout.entries.enumerated() {
            let gradient = UnsafeMutableBufferPointer(
                rebasing: network.parameterGradients[network.parameterLayout.range(of: index)])
            gradient.update(repeating: ReadInside.holds(info.name) ? 0 : .nan)
        }
        let unread = Array(repeating: Float.nan, count: count)
        try network.forward(input: unread, count: count, mode: .training(step: 0))
        let size = network.outputShape.elementCount
        let output = (0..<count * size).map { Double(network.output[$0]) }
        _ = SoftmaxCrossEntropy().evaluate(
            output: network.output, labels: labels, count: count, classes: size, gradient: network.outputGradient)
        try network.backward(count: count, step: 0)
        var gradients: [String: [Double]] = [:]
        for info in network.parameterLayout.entries {
            gradients[info.name] = try network.gradient(named: info.name).elements.map(Double.init)
        }
        return Outcome(
            output: output, gradients: gradients,
            commonLength: gradients.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }.squareRoot())
    }

    /// Expects a pass of another network with the same weights to give the same but for the roundings of both.
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
        for (name, gradient) in own.gradients {
            let expected = others.gradients[name] ?? []
            func length(_ squares: (Double, Double) -> Double) -> Double {
                zip(gradient, expected).reduce(0) { $0 + squares($1.0, $1.1) }.squareRoot()
            }
            let error = length { ($0 - $1) * ($0 - $1) }
            let allowed = tolerance * (length { $1 * $1 } + Self.commonShare * others.commonLength)
            #expect(error <= allowed, "gradient of \(name)", sourceLocation: sourceLocation)
        }
    }

    /// How each parameter is tried.
    enum Thoroughness {
        /// Four directions.
        case full
        /// One: the sum of the gradient's and a random one.
        case quick
    }

    /// Runs the comparison and expects all of it to hold.
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
        for info in network.parameterLayout.entries {
            let gradient = gradients[info.name] ?? []
            let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let tolerance = relativeTolerance * (length + Self.commonShare * commonLength)
            for direction in directions(along: gradient, length: length, thoroughness) {
                let expected = try derivative(of: info.name, along: direction, decisions: start.decisions)
                let found = direction.reduce(0) { $0 + $1.value * gradient[$1.index] }
                #expect(
                    abs(found - expected) <= tolerance,
                    "\(info.name): \(found), by differences \(expected), gradient's length \(length)",
                    sourceLocation: sourceLocation)
            }
        }
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

    /// The loss's derivative along a direction of one parameter, by a central difference so short that no kink lies
    /// within.
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
