import CKernels
import Testing

/// Half the relative distance of neighbouring floats: the largest error of one rounding.
private let epsilon = Double(Float.ulpOfOne / 2)

/// Batch normalisation of one channel in double.
private struct ReferenceChannel {
    var mean = 0.0, variance = 0.0, inverse = 0.0

    init(_ x: [Double], epsilon: Double) {
        mean = x.reduce(0, +) / Double(x.count)
        variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        inverse = 1 / (variance + epsilon).squareRoot()
    }
}

struct BatchNormCase {
    var rows: Int, channels: Int
    var norm: ck_batch_norm
    var x: Buffer, dy: Buffer, gamma: Buffer, beta: Buffer, before: Buffer

    init(rows: Int, channels: Int, mean: Float, deviation: Float, epsilon: Float = 1e-3) {
        var generator = Generator(seed: UInt64(rows * 1000 + channels))
        (self.rows, self.channels) = (rows, channels)
        norm = ck_batch_norm(rows: Int64(rows), channels: Int64(channels), epsilon: epsilon)
        x = Buffer(uniform: rows * channels, &generator, misaligned: channels % 2 == 1)
        for index in 0..<x.count {
            x.pointer[index] = mean + deviation * x.pointer[index] * Float(1 + index % channels)
        }
        dy = Buffer(uniform: rows * channels, &generator)
        gamma = Buffer(uniform: channels, &generator)
        beta = Buffer(uniform: channels, &generator)
        before = Buffer(uniform: rows * channels, &generator)
    }

    func column(_ buffer: Buffer, _ channel: Int) -> [Double] {
        (0..<rows).map { Double(buffer.pointer[$0 * channels + channel]) }
    }
}

/// The results of the training passes.
struct BatchNormResult {
    var y: Buffer, dx: Buffer, added: Buffer, perChannel: [Buffer]
    var runningMean: Buffer { perChannel[0] }
    var runningVariance: Buffer { perChannel[1] }
    var mean: Buffer { perChannel[2] }
    var inverse: Buffer { perChannel[3] }
    var dgamma: Buffer { perChannel[4] }
    var dbeta: Buffer { perChannel[5] }
    var scratchIntact = true
    var all: [Buffer] { [y, dx, added] + perChannel }

    init(_ test: BatchNormCase, unbiased: Bool = false, moments: UnsafePointer<ck_moments>? = nil) {
        var norm = test.norm
        let count = test.x.count
        y = Buffer(count)
        dx = Buffer(count)
        added = test.before.copy()
        perChannel = (0..<6).map { _ in Buffer(test.channels) }
        for c in 0..<test.channels { (perChannel[0].pointer[c], perChannel[1].pointer[c]) = (Float(c), 2) }
        let scratch = Buffer(scratchBytes: ck_batch_norm_scratch(&norm))
        ck_batch_norm_forward_training(
            &norm, test.x.pointer, moments, test.gamma.pointer, test.beta.pointer, 0.9, unbiased, perChannel[0].pointer,
            perChannel[1].pointer, perChannel[2].pointer, perChannel[3].pointer, nil, y.pointer, scratch.pointer)
        for (target, accumulate) in [(added, true), (dx, false)] {
            scratch.poison()
            ck_batch_norm_backward(
                &norm, test.x.pointer, test.gamma.pointer, mean.pointer, inverse.pointer, test.dy.pointer,
                target.pointer,
                accumulate, dgamma.pointer, dbeta.pointer, scratch.pointer)
        }
        scratchIntact = scratch.guardsIntact
    }
}

extension BatchNormCase {
    /// Writes the outputs of both modes; inference uses the running statistics that the training pass has just moved.
    fileprivate func forward(_ postOps: ck_post_ops, training: Buffer, inference: Buffer) {
        var norm = norm, postOps = postOps
        let scratch = Buffer(scratchBytes: ck_batch_norm_scratch(&norm))
        let mean = Buffer([Float](repeating: 0, count: channels)),
            variance = Buffer([Float](repeating: 1, count: channels))
        let batchMean = Buffer(channels), inverse = Buffer(channels)
        ck_batch_norm_forward_training(
            &norm, x.pointer, nil, gamma.pointer, beta.pointer, 0.9, false, mean.pointer, variance.pointer,
            batchMean.pointer, inverse.pointer, &postOps, training.pointer, scratch.pointer)
        ck_batch_norm_forward_inference(
            &norm, x.pointer, gamma.pointer, beta.pointer, mean.pointer, variance.pointer, &postOps, inference.pointer)
    }
}

private func check(_ test: BatchNormCase, unbiased: Bool, moments: UnsafePointer<ck_moments>? = nil, _ name: String) {
    let result = BatchNormResult(test, unbiased: unbiased, moments: moments)
    for c in 0..<test.channels {
        let x = test.column(test.x, c), dy = test.column(test.dy, c), rows = Double(test.rows)
        let reference = ReferenceChannel(x, epsilon: Double(test.norm.epsilon))
        let gamma = Double(test.gamma.pointer[c]), beta = Double(test.beta.pointer[c])
        // The kernel sums squares in single precision over 64 rows, four at a time: 16 + 2 additions and their
        // roundings. The root halves the relative error.
        let varianceError = 24 * epsilon, inverseError = varianceError / 2 + epsilon
        // The kernel sums deviations from an approximate mean in the same way, so the mean's error has the same share
        // of the deviation.
        let deviation = x.reduce(0) { $0 + abs($1 - reference.mean) } / rows
        let meanError = epsilon * abs(reference.mean) + 20 * epsilon * deviation
        #expect(abs(Double(result.mean.pointer[c]) - reference.mean) <= meanError, "\(name)")
        #expect(
            abs(Double(result.inverse.pointer[c]) - reference.inverse) <= inverseError * reference.inverse, "\(name)")
        let factor = unbiased && rows > 1 ? rows / (rows - 1) : 1
        let momentum = Double(Float(0.9))
        let runningMean = momentum * Double(c) + (1 - momentum) * reference.mean
        let runningVariance = momentum * 2 + (1 - momentum) * reference.variance * factor
        #expect(
            abs(Double(result.runningMean.pointer[c]) - runningMean) <= epsilon * abs(runningMean) + meanError,
            "\(name)")
        #expect(
            abs(Double(result.runningVariance.pointer[c]) - runningVariance) <= (varianceError + epsilon)
                * runningVariance,
            "\(name)")
        var dgamma = 0.0, dbeta = 0.0, absoluteGamma = 0.0, absoluteBeta = 0.0
        for row in 0..<test.rows {
            let normalized = (x[row] - reference.mean) * reference.inverse
            dgamma += dy[row] * normalized
            dbeta += dy[row]
            absoluteGamma += abs(dy[row] * normalized)
            absoluteBeta += abs(dy[row])
        }
        #expect(abs(Double(result.dbeta.pointer[c]) - dbeta) <= 20 * epsilon * absoluteBeta, "\(name)")
        #expect(
            abs(Double(result.dgamma.pointer[c]) - dgamma) <= 40 * epsilon * (absoluteGamma + absoluteBeta), "\(name)")
        var worst = 0.0
        for row in 0..<test.rows {
            let place = row * test.channels + c
            let normalized = (x[row] - reference.mean) * reference.inverse
            let y = gamma * normalized + beta
            let yBound =
                (inverseError + 4 * epsilon) * abs(gamma * normalized) + 24 * epsilon * (abs(gamma) + abs(beta))
            let gradient = gamma * reference.inverse * (dy[row] - dbeta / rows - normalized * dgamma / rows)
            let size =
                abs(gamma) * reference.inverse
                * (abs(dy[row]) + absoluteBeta / rows + abs(normalized) * absoluteGamma / rows)
            let dxBound = 64 * epsilon * size
            let sum = gradient + Double(test.before.pointer[place])
            worst = max(worst, abs(Double(result.y.pointer[place]) - y) / yBound)
            worst = max(worst, abs(Double(result.dx.pointer[place]) - gradient) / dxBound)
            worst = max(worst, abs(Double(result.added.pointer[place]) - sum) / (dxBound + epsilon * abs(sum)))
            let found = [result.y, result.dx, result.added].map { $0.pointer[place] }
            if found.contains(where: \.isNaN) { worst = .infinity }
        }
        #expect(worst <= 1, "\(name): channel \(c)")
    }
    #expect(result.all.allSatisfy { $0.guardsIntact } && result.scratchIntact, "\(name)")
}

@Suite struct NormalizationTests {
    @Test(
        arguments: [1, 3, 4, 5, 8, 10, 16, 17, 31, 63, 64, 65, 129, 200],
        [2, 7, 67, 258])
    func batchNorm(channels: Int, rows: Int) {
        let test = BatchNormCase(rows: rows, channels: channels, mean: 0.5, deviation: 1)
        for isa in availableISAs {
            with(isa: isa) { check(test, unbiased: channels % 2 == 0, "\(isa) \(rows)×\(channels)") }
        }
    }

    /// (rows, channels) of several parts, blocks of rows and slices of channels.
    static let large = [(5003, 7), (3001, 70), (130, 1100)]

    @Test(arguments: large)
    func severalParts(rows: Int, channels: Int) {
        let test = BatchNormCase(rows: rows, channels: channels, mean: 0.5, deviation: 1)
        for isa in availableISAs {
            with(isa: isa) { check(test, unbiased: false, "\(isa) \(rows)×\(channels)") }
        }
    }

    @Test(arguments: [1, 4, 5, 8, 16, 70], [100, 3000])
    func statisticsAreRobust(channels: Int, rows: Int) {
        let test = BatchNormCase(rows: rows, channels: channels, mean: 1000, deviation: 0.01, epsilon: 1e-9)
        for isa in availableISAs {
            with(isa: isa) { check(test, unbiased: false, "\(isa) \(rows)×\(channels)") }
        }
    }

    /// A first row far from the other rows must not spoil the variance.
    @Test func outlierInTheFirstRow() {
        let test = BatchNormCase(rows: 2000, channels: 20, mean: 0, deviation: 0.01)
        for c in 0..<20 { test.x.pointer[c] = 1e4 }
        for isa in availableISAs { with(isa: isa) { check(test, unbiased: true, "\(isa)") } }
    }

    @Test(arguments: [4, 5, 8, 16, 60, 96, 193])
    func threadsDoNotChangeBits(channels: Int) {
        // The rows give several parts, and the last part isn't full.
        let rows = 100_003 / channels
        let test = BatchNormCase(rows: rows, channels: channels, mean: 1, deviation: 1)
        for isa in availableISAs {
            let results = threadCounts.map { threads in with(isa: isa, threads: threads) { BatchNormResult(test) } }
            for other in results.dropFirst() {
                for (a, b) in zip(results[0].all, other.all) {
                    #expect(firstDifference(a, b, "\(isa) \(channels)") == nil)
                }
            }
            #expect(results[0].y.values.allSatisfy { !$0.isNaN })
        }
    }

    @Test(arguments: [(1, 3), (3, 4), (50, 5), (700, 16), (9, 1500), (33, 1024), (5000, 63), (257, 96)] + large)
    func inference(rows: Int, channels: Int) {
        let test = BatchNormCase(rows: rows, channels: channels, mean: 3, deviation: 1)
        var norm = test.norm
        var generator = Generator(seed: 5)
        let mean = Buffer(uniform: channels, &generator), variance = Buffer(uniform: channels, &generator)
        for c in 0..<channels { variance.pointer[c] = abs(variance.pointer[c]) + 0.01 }
        var expected = [Double](repeating: 0, count: test.x.count), bounds = expected
        for place in 0..<test.x.count {
            let c = place % channels
            let scale =
                Double(test.gamma.pointer[c])
                / (Double(variance.pointer[c]) + Double(norm.epsilon)).squareRoot()
            let product = scale * (Double(test.x.pointer[place]) - Double(mean.pointer[c]))
            expected[place] = product + Double(test.beta.pointer[c])
            bounds[place] = 4 * epsilon * (abs(product) + abs(expected[place]))
        }
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let y = Buffer(test.x.count), inPlace = test.x.copy()
                    for (source, target) in [(test.x, y), (inPlace, inPlace)] {
                        ck_batch_norm_forward_inference(
                            &norm, source.pointer, test.gamma.pointer, test.beta.pointer, mean.pointer,
                            variance.pointer, nil, target.pointer)
                    }
                    #expect(firstError(y, expected, bound: { bounds[$0] }, "\(isa) \(threads)") == nil)
                    #expect(firstDifference(y, inPlace, "\(isa) \(threads)") == nil)
                    #expect(y.guardsIntact && inPlace.guardsIntact)
                }
            }
        }
    }

    /// In both modes, the output is the activation of the sum of the plain output and the addend's activation.
    @Test(arguments: [4, 7, 96, 1100])
    func appliesPostOps(channels: Int) throws {
        let test = BatchNormCase(rows: 67, channels: channels, mean: 1, deviation: 2)
        var generator = Generator(seed: 12)
        let values = Buffer(uniform: test.x.count, &generator)
        let identity = try #require(ActivationCase.all.first { $0.name == "identity" })
        var applied = ActivationCase.relu.activation
        applied.applied = true
        let none = ck_post_ops()
        let sum = ck_post_ops(
            addend: values.pointer, addend_activation: identity.activation, activation: ck_activation())
        let cases: [(ck_post_ops, (Float, Float) -> Float)] = [
            (sum, { $0 + $1 }),
            (.init(addend: values.pointer, addend_activation: applied, activation: ck_activation()), { $0 + $1 }),
            (
                .init(
                    addend: values.pointer, addend_activation: ActivationCase.relu.activation,
                    activation: ck_activation()),
                { $0 + max($1, 0) }
            ),
            (
                .init(
                    addend: values.pointer, addend_activation: identity.activation,
                    activation: ActivationCase.relu.activation),
                { max($0 + $1, 0) }
            ),
            (
                .init(addend: nil, addend_activation: ck_activation(), activation: ActivationCase.relu.activation),
                { value, _ in max(value, 0) }
            ),
        ]
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let plain = [Buffer(test.x.count), Buffer(test.x.count)]
                    test.forward(none, training: plain[0], inference: plain[1])
                    for (index, (postOps, expectation)) in cases.enumerated() {
                        let found = [Buffer(test.x.count), Buffer(test.x.count)]
                        test.forward(postOps, training: found[0], inference: found[1])
                        for (found, plain) in zip(found, plain) {
                            let expected = Buffer(zip(plain.values, values.values).map(expectation))
                            #expect(firstDifference(found, expected, "case \(index), \(isa) \(threads)") == nil)
                            #expect(found.guardsIntact)
                        }
                    }
                }
            }
        }
    }

    /// The moments that a 1×1 convolution computes of its output are as good as the moments of a second reading, even
    /// with means that are large against the deviation.
    @Test(arguments: [(1, 3, 5), (2, 7, 64), (130, 11, 20), (9, 256, 3), (700, 16, 33), (33, 30, 300)])
    func takesTheMomentsOfWhoWroteIt(batch: Int, pixels: Int, channels: Int) {
        let test = BatchNormCase(rows: batch * pixels, channels: channels, mean: 0, deviation: 1)
        let activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        var shape = ck_convolution(
            batch: batch, height: 1, width: pixels, channels: 9, out: (1, pixels, channels), kernel: (1, 1),
            activation: activation.activation)
        var generator = Generator(seed: UInt64(batch))
        let z = Buffer(uniform: batch * pixels * 9, &generator), weights = Buffer(uniform: 18 * channels, &generator)
        let bias = Buffer(uniform: channels, &generator)
        for c in 0..<channels { bias.pointer[c] *= 1000 }
        for isa in availableISAs {
            var found: [[Double]] = []
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let count = ck_pointwise_moments_count(&shape)
                    let values = Buffer(scratchBytes: count * MemoryLayout<Double>.stride)
                    let scratch = Buffer(scratchBytes: ck_pointwise_scratch(&shape))
                    values.pointer.withMemoryRebound(to: Double.self, capacity: count) { values in
                        ck_pointwise_forward(
                            &shape, z.pointer, weights.pointer, bias.pointer, nil, test.x.pointer, values,
                            scratch.pointer)
                        var moments = ck_moments(values: values, part_rows: ck_pointwise_moments_rows(&shape))
                        check(test, unbiased: batch % 2 == 1, moments: &moments, "\(isa), \(threads) threads")
                        let written =
                            (batch * pixels + Int(moments.part_rows) - 1) / Int(moments.part_rows) * 2 * channels
                        #expect(written <= count)
                        found.append((0..<written).map { values[$0] })
                    }
                    let isIntact = values.guardsIntact && scratch.guardsIntact && test.x.guardsIntact
                    #expect(isIntact)
                }
            }
            #expect(found.allSatisfy { $0 == found[0] })
        }
    }

    @Test(arguments: [4, 7, 96])
    func trainingInPlaceAndWithoutDataGradient(channels: Int) {
        let test = BatchNormCase(rows: 500, channels: channels, mean: 1, deviation: 2)
        for isa in availableISAs {
            with(isa: isa) {
                let expected = BatchNormResult(test)
                var norm = test.norm
                let x = test.x.copy(), scratch = Buffer(scratchBytes: ck_batch_norm_scratch(&norm))
                let outputs = (0..<4).map { _ in Buffer([Float](repeating: 0, count: channels)) }
                ck_batch_norm_forward_training(
                    &norm, x.pointer, nil, test.gamma.pointer, test.beta.pointer, 0.9, false,
                    outputs[0].pointer, outputs[1].pointer, outputs[2].pointer, outputs[3].pointer, nil, x.pointer,
                    scratch.pointer)
                #expect(firstDifference(x, expected.y, "y") == nil)
                let dgamma = Buffer(channels), dbeta = Buffer(channels)
                ck_batch_norm_backward(
                    &norm, test.x.pointer, test.gamma.pointer, outputs[2].pointer, outputs[3].pointer, test.dy.pointer,
                    nil,
                    false, dgamma.pointer, dbeta.pointer, scratch.pointer)
                #expect(firstDifference(dgamma, expected.dgamma, "dgamma") == nil)
                #expect(firstDifference(dbeta, expected.dbeta, "dbeta") == nil)
            }
        }
    }

    @Test(arguments: [3, 8, 70])
    func nanStaysInItsChannel(channels: Int) {
        let test = BatchNormCase(rows: 300, channels: channels, mean: 0, deviation: 1)
        let bad = channels / 2
        test.x.pointer[137 * channels + bad] = .nan
        for isa in availableISAs {
            with(isa: isa) {
                let result = BatchNormResult(test)
                for buffer in [
                    result.y, result.dx, result.added, result.mean, result.inverse, result.runningMean,
                    result.runningVariance, result.dgamma,
                ] {
                    for place in 0..<buffer.count {
                        #expect(buffer.pointer[place].isNaN == (place % channels == bad), "\(isa)")
                    }
                }
            }
        }
    }

    @Test func constantChannelsGiveBeta() {
        let test = BatchNormCase(rows: 333, channels: 6, mean: 0.1, deviation: 0, epsilon: 1e-5)
        for isa in availableISAs {
            with(isa: isa) {
                let result = BatchNormResult(test)
                for place in 0..<result.y.count {
                    #expect(abs(result.y.pointer[place] - test.beta.pointer[place % 6]) < 1e-6)
                }
            }
        }
    }

    /// The gradients against central differences of Σ dy·y in double.
    @Test(arguments: [(Float(0), Float(1)), (1000, 0.01)])
    func centralDifferences(mean: Float, deviation: Float) {
        let test = BatchNormCase(rows: 9, channels: 3, mean: mean, deviation: deviation, epsilon: 1e-6)
        func loss(_ x: [Double], _ c: Int, gamma: Double, beta: Double) -> Double {
            let reference = ReferenceChannel(x, epsilon: Double(test.norm.epsilon))
            return zip(test.column(test.dy, c), x).reduce(0) {
                $0 + $1.0 * (gamma * ($1.1 - reference.mean) * reference.inverse + beta)
            }
        }
        for isa in availableISAs {
            with(isa: isa) {
                let result = BatchNormResult(test)
                for c in 0..<3 {
                    let x = test.column(test.x, c)
                    let gamma = Double(test.gamma.pointer[c]), beta = Double(test.beta.pointer[c])
                    let step = 1e-3 * Double(deviation)
                    for row in 0..<9 {
                        var (up, down) = (x, x)
                        up[row] += step
                        down[row] -= step
                        let slope =
                            (loss(up, c, gamma: gamma, beta: beta) - loss(down, c, gamma: gamma, beta: beta))
                            / (2 * step)
                        let found = Double(result.dx.pointer[row * 3 + c])
                        #expect(abs(found - slope) <= 2e-5 / Double(deviation), "\(isa)")
                    }
                    let dgamma =
                        (loss(x, c, gamma: gamma + 1e-3, beta: beta) - loss(x, c, gamma: gamma - 1e-3, beta: beta))
                        / 2e-3
                    let dbeta =
                        (loss(x, c, gamma: gamma, beta: beta + 1e-3) - loss(x, c, gamma: gamma, beta: beta - 1e-3))
                        / 2e-3
                    #expect(abs(Double(result.dgamma.pointer[c]) - dgamma) <= 1e-5, "\(isa)")
                    #expect(abs(Double(result.dbeta.pointer[c]) - dbeta) <= 1e-5, "\(isa)")
                }
            }
        }
    }

    @Test func scratchNeverShrinks() {
        for channels in [1, 4, 63, 64, 200] {
            var before = 0
            for rows in stride(from: 1, to: 200_000, by: 997) {
                var norm = ck_batch_norm(rows: Int64(rows), channels: Int64(channels), epsilon: 1e-3)
                let size = ck_batch_norm_scratch(&norm)
                #expect(size >= before)
                before = size
            }
        }
    }
}
