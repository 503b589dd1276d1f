import CKernels
import Testing

private let epsilon = Double(Float.ulpOfOne / 2)

/// Softmax of one row in double.
private func softmax(_ logits: [Double]) -> [Double] {
    let largest = logits.max() ?? 0
    let terms = logits.map { Reference.exp($0 - largest) }
    let sum = terms.reduce(0, +)
    return terms.map { $0 / sum }
}

/// Exponential and logarithm in double without Foundation: a series of the halved argument, squared afterwards.
private enum Reference {
    static func exp(_ x: Double) -> Double {
        if x < -745 { return 0 }
        var (term, sum) = (1.0, 1.0)
        let small = x / 1024
        for n in 1...12 {
            term *= small / Double(n)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }

    /// Newton's method on exp, for arguments of at least 1.
    static func log(_ x: Double) -> Double {
        var y = Double(x.exponent) * 0.693_147_180_559_945_3 + (x.significand - 1) * 0.69
        for _ in 0..<6 { y += x * exp(-y) - 1 }
        return y
    }
}

@Suite struct LossTests {
    static let classes = [1, 2, 3, 7, 10, 15, 16, 17, 33, 64, 100, 200], batches = [1, 2, 5, 33, 130]
    /// Rows and classes that give parts longer than the shortest.
    static let large = (batch: 7000, classes: 10)

    @Test(arguments: classes, batches)
    func crossEntropy(classes: Int, batch: Int) { Self.verify(classes: classes, batch: batch) }

    @Test func largeBatch() { Self.verify(classes: Self.large.classes, batch: Self.large.batch) }

    private static func verify(classes: Int, batch: Int) {
        var generator = Generator(seed: UInt64(classes * 1000 + batch))
        let logits = Buffer(uniform: batch * classes, &generator, misaligned: true)
        let labels = (0..<batch).map { _ in Int32(generator.integer(0...(classes - 1))) }
        for row in 0..<batch {
            // Rows are flat to confident, and sometimes the label's logit is the largest.
            let factor = [Float(1), 8, 60][row % 3]
            for c in 0..<classes { logits.pointer[row * classes + c] *= factor }
            if row % 2 == 1 { logits.pointer[row * classes + Int(labels[row])] = factor }
        }
        let scale = 1 / Float(batch)
        var loss = 0.0, correct = 0, lossBound = 0.0
        var gradient: [Double] = [], bounds: [Double] = [], probabilities: [Double] = [],
            probabilityBounds: [Double] = []
        for row in 0..<batch {
            let values = (0..<classes).map { Double(logits.pointer[row * classes + $0]) }
            let softmax = softmax(values), label = Int(labels[row]), largest = values.max()!
            let sum = 1 / softmax[values.firstIndex(of: largest)!]
            loss += largest - values[label] + Reference.log(sum)
            // e^x is within 2 ulp, and the difference x − max is rounded once: relative to the terms, up to 4 + |x −
            // max| roundings.
            lossBound += epsilon * 6 + 1e-13 * (1 + largest)
            correct += values.firstIndex(of: largest) == label ? 1 : 0
            for c in 0..<classes {
                let relative = (10 + largest - values[c]) * epsilon
                probabilities.append(softmax[c])
                probabilityBounds.append(relative * softmax[c] + 5e-45)  // and denormals are 1.4e-45 apart
                let expected = c == label ? softmax[c] - 1 : softmax[c]
                let size = c == label ? min(softmax[c], 1 - softmax[c]) : softmax[c]
                gradient.append(expected * Double(scale))
                // Where the label's probability is near 1, the largest difference of the other classes counts.
                let spread = c == label ? (130 + 10) * epsilon : relative
                bounds.append((spread * size + 2 * epsilon * abs(expected)) * Double(scale) + 1e-15)
            }
        }
        for isa in availableISAs {
            for threads in isa == availableISAs.last ? threadCounts : [2] {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads) \(batch)×\(classes)"
                    let dlogits = Buffer(batch * classes), output = Buffer(batch * classes)
                    let result = ck_softmax_cross_entropy(
                        Int64(batch), Int64(classes), logits.pointer, labels, scale, dlogits.pointer)
                    let plain = ck_softmax_cross_entropy(
                        Int64(batch), Int64(classes), logits.pointer, labels, scale, nil)
                    ck_softmax(Int64(batch), Int64(classes), logits.pointer, output.pointer)
                    #expect(abs(result.loss_sum - loss) <= lossBound, "\(name)")
                    #expect(result.correct_count == Int64(correct), "\(name)")
                    #expect(plain.loss_sum == result.loss_sum && plain.correct_count == result.correct_count, "\(name)")
                    #expect(firstError(dlogits, gradient, bound: { bounds[$0] }, name) == nil)
                    #expect(firstError(output, probabilities, bound: { probabilityBounds[$0] }, name) == nil)
                    #expect(dlogits.guardsIntact && output.guardsIntact)
                }
            }
        }
    }

    /// Far from the label's logit nothing overflows, and near certainty nothing vanishes.
    @Test func extremeLogits() {
        let logits = Buffer([1e30, 0, -1e30, 20, 0, 0, 0, 20, 20])
        for isa in availableISAs {
            with(isa: isa) {
                let dlogits = Buffer(9)
                let result = ck_softmax_cross_entropy(3, 3, logits.pointer, [1, 0, 1], 1, dlogits.pointer)
                // log(1 + 2·e^-20), and log 2 + log(1 + e^-20/2).
                let small = 2 * 2.061153622438558e-9
                let others = result.loss_sum - Double(Float(1e30))
                #expect(others.isFinite && result.correct_count == 2)
                let rest = ck_softmax_cross_entropy(2, 3, logits.pointer + 3, [0, 1], 1, nil).loss_sum
                #expect(abs(rest - (small + 0.6931471805599453 + small / 4)) < 1e-14)
                #expect(dlogits.pointer[0] == 1 && dlogits.pointer[1] == -1 && dlogits.pointer[2] == 0)
                #expect(abs(Double(dlogits.pointer[3]) + small) < 1e-6 * small)
            }
        }
    }

    @Test func tiesGoToTheFirst() {
        let logits = Buffer([Float](repeating: 0.5, count: 40))
        for isa in availableISAs {
            with(isa: isa) {
                #expect(ck_softmax_cross_entropy(2, 20, logits.pointer, [0, 19], 1, nil).correct_count == 1)
            }
        }
    }

    @Test(arguments: [3, 10, 16, 40], [Float.nan, .infinity])
    func nanSpoilsItsRowOnly(classes: Int, bad: Float) {
        var generator = Generator(seed: UInt64(classes))
        let labels: [Int32] = [0, 1, 2]
        for place in 0..<classes {
            let logits = Buffer(uniform: 3 * classes, &generator)
            logits.pointer[classes + place] = bad
            for isa in availableISAs {
                with(isa: isa) {
                    let dlogits = Buffer(3 * classes), probabilities = Buffer(3 * classes)
                    let result = ck_softmax_cross_entropy(3, Int64(classes), logits.pointer, labels, 1, dlogits.pointer)
                    ck_softmax(3, Int64(classes), logits.pointer, probabilities.pointer)
                    #expect(result.loss_sum.isNaN)
                    if bad.isNaN {
                        let row = ck_softmax_cross_entropy(
                            1, Int64(classes), logits.pointer + classes, [Int32(place)], 1, nil)
                        #expect(row.loss_sum.isNaN && row.correct_count == 0)
                    }
                    for index in 0..<(3 * classes) {
                        #expect(dlogits.pointer[index].isNaN == (index / classes == 1))
                        #expect(probabilities.pointer[index].isNaN == (index / classes == 1))
                    }
                }
            }
        }
    }

    @Test func gradientMatchesCentralDifferences() {
        var generator = Generator(seed: 12)
        let logits = Buffer(uniform: 4 * 21, &generator), labels: [Int32] = [0, 20, 7, 15]
        func loss(_ row: Int, _ place: Int, _ step: Double) -> Double {
            var values = (0..<21).map { Double(logits.pointer[row * 21 + $0]) }
            values[place] += step
            return Reference.log(values.reduce(0) { $0 + Reference.exp($1) }) - values[Int(labels[row])]
        }
        for isa in availableISAs {
            with(isa: isa) {
                let dlogits = Buffer(4 * 21)
                _ = ck_softmax_cross_entropy(4, 21, logits.pointer, labels, 0.25, dlogits.pointer)
                for row in 0..<4 {
                    for place in 0..<21 {
                        let slope = (loss(row, place, 1e-4) - loss(row, place, -1e-4)) / 2e-4
                        #expect(abs(Double(dlogits.pointer[row * 21 + place]) - slope / 4) <= 2e-8)
                    }
                }
            }
        }
    }

    @Test func threadsDoNotChangeBits() {
        var generator = Generator(seed: 3)
        let logits = Buffer(uniform: 700 * 100, &generator)
        let labels = (0..<700).map { Int32($0 % 100) }
        for isa in availableISAs {
            var losses: [Double] = [], gradients: [[Float]] = []
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let dlogits = Buffer(logits.count)
                    losses.append(
                        ck_softmax_cross_entropy(700, 100, logits.pointer, labels, 1, dlogits.pointer).loss_sum)
                    gradients.append(dlogits.values)
                }
            }
            #expect(losses.allSatisfy { $0 == losses[0] } && gradients.allSatisfy { $0 == gradients[0] })
        }
    }
}
