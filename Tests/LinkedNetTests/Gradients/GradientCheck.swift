import Testing

@testable import LinkedNet

/// Compares a network's gradients, which single-precision kernels compute, with central differences of the same layers in the
/// double-precision reference.
///
/// Every parameter is tried along its gradient (which shows a wrong size), along a random direction (a wrong sign or place
/// anywhere), and along single coordinates. The network's input is a parameter among the others.
struct GradientCheck {
    let network: Network
    private(set) var reference: ReferenceNetwork
    let labels: [Int32]
    private var random: CounterRandom

    /// Draws weights, input and labels from `seed`.
    init(_ layers: [any Layer], input: Shape, batch: Int, seed: UInt64) throws {
        let all: [any Layer] = [TrainableInput(shape: input, batch: batch)] + layers
        let model = Sequential { all }
        network = try Network(model, input: [1], batch: batch, seed: seed)
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2000))
        // What starts as zeros or ones would hide errors.
        network.forEachWeight { info, elements in
            for index in elements.indices {
                if info.name.hasSuffix("bias") || info.name.hasSuffix("beta") || info.name.hasSuffix("slopes") {
                    elements[index] = Float(0.2 * random.normal())
                } else if info.name.hasSuffix("gamma") {
                    elements[index] = Float(1 + 0.2 * random.normal())
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
            guard operation.label.hasPrefix("Dropout"), let rate = Float(operation.label.dropFirst(8)) else { return nil }
            let key = CounterRandom.key(seed: seed, epoch: 0, sample: UInt64(index), use: .dropout)
            let count = batch * operation.outputShape.elementCount
            var mask = Array(repeating: Float(0), count: count)
            Elementwise.dropout(
                count: count, key: key, rate: rate, Array(repeating: 1, count: count), out: &mask, accumulate: false)
            return mask.map(Double.init)
        }
    }

    /// The largest errors, in units of what is tolerated.
    struct Report {
        var worstOutput = 0.0
        var worstDerivative = 0.0
        var worstParameter = ""
    }

    /// A derivative along a unit direction may be off by this share of the parameter's gradient's length. Single precision rounds to
    /// 6e-8; a chain of L layers with sums of K terms multiplies that by about L·√K, some hundreds here.
    static let relativeTolerance = 5e-5
    /// … plus this share of the length of all gradients together: what cancels within a parameter, such as the gradient of a bias
    /// in front of a batch normalisation, which is zero but for rounding, leaves errors of the size of its terms.
    static let commonTolerance = 5e-7

    /// Runs the comparison and expects all of it to hold.
    mutating func run(coordinates: Int = 2, sourceLocation: SourceLocation = #_sourceLocation) throws -> Report {
        var report = Report()
        let count = labels.count
        let start = try reference.forward(count: count)

        network.parameterGradients.update(repeating: .nan)
        let unread = Array(repeating: Float.nan, count: count)
        network.forward(input: unread, count: count, mode: .training(step: 0))
        let scale = start.output.elements.reduce(1e-30) { max($0, abs($1)) }
        for (index, expected) in start.output.elements.enumerated() {
            let error = abs(Double(network.output[index]) - expected) / (scale * Self.relativeTolerance)
            report.worstOutput = max(report.worstOutput, error.isNaN ? .infinity : error)
        }
        #expect(report.worstOutput <= 1, "output", sourceLocation: sourceLocation)
        _ = SoftmaxCrossEntropy().evaluate(
            output: network.output, labels: labels, count: count, classes: start.output.channels,
            gradient: network.outputGradient)
        network.backward(count: count, step: 0)

        var gradients: [String: [Double]] = [:]
        for info in network.parameterLayout.entries {
            gradients[info.name] = try network.gradient(named: info.name).elements.map(Double.init)
        }
        let commonLength = gradients.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }.squareRoot()
        #expect(commonLength > 1e-3, "the gradients are too small to say anything", sourceLocation: sourceLocation)
        for info in network.parameterLayout.entries {
            let gradient = gradients[info.name] ?? []
            let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let tolerance = length * Self.relativeTolerance + commonLength * Self.commonTolerance
            for direction in directions(along: gradient, length: length, coordinates: coordinates) {
                let expected = try derivative(of: info.name, along: direction, decisions: start.decisions)
                let found = direction.reduce(0) { $0 + $1.value * gradient[$1.index] }
                let error = abs(found - expected) / tolerance
                if !(error <= report.worstDerivative) {
                    report.worstDerivative = error
                    report.worstParameter = info.name
                }
                #expect(
                    error <= 1, "\(info.name): \(found), by differences \(expected), gradient's length \(length)",
                    sourceLocation: sourceLocation)
            }
        }
        return report
    }

    private typealias Direction = [(index: Int, value: Double)]

    private mutating func directions(along gradient: [Double], length: Double, coordinates: Int) -> [Direction] {
        var result: [Direction] = []
        if length > 0 { result.append(gradient.enumerated().map { ($0, $1 / length) }) }
        let step = 1 / Double(gradient.count).squareRoot()
        result.append(gradient.indices.map { ($0, random.next() & 1 == 0 ? step : -step) })
        for _ in 0..<min(coordinates, gradient.count) {
            result.append([(Int(random.next(below: UInt64(gradient.count))), 1)])
        }
        return result
    }

    /// The loss's derivative along a direction of one parameter, by a central difference so short that no kink lies within.
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
