import CKernels
import Testing

private let channelCounts = [1, 2, 3, 4, 5, 7, 8, 10, 15, 16, 17, 20, 31, 33, 48, 64, 100, 129, 200]

@Suite struct PoolingTests {
    /// Several blocks of rows, in the output and in the input.
    static let large = ck_pooling(
        batch: 5, height: 17, width: 50, channels: 20, out_height: 7, out_width: 25, window_h: 3, window_w: 3,
        stride_h: 2, stride_w: 2, pad_top: 0, pad_left: 0)

    @Test func severalBlocks() {
        var generator = Generator(seed: 78)
        Self.verifyMaxima(Self.large, variant: 0, &generator)
        Self.verifyAverages(Self.large, variant: 0, &generator)
    }

    @Test(arguments: channelCounts, 0..<4)
    func maxPooling(channels: Int, variant: Int) {
        var generator = Generator(seed: UInt64(channels * 10 + variant))
        let pooling = randomPooling(&generator, channels: channels)
        Self.verifyMaxima(pooling, variant: variant, &generator)
    }

    private static func verifyMaxima(_ shape: ck_pooling, variant: Int, _ generator: inout Generator) {
        var pooling = shape
        // Small integers give many ties, so that the test checks the choice of the first maximum.
        let x = Buffer(integers: pooling.inputCount, &generator)
        if variant == 3 { for _ in 0..<4 { x.pointer[generator.integer(0...(x.count - 1))] = .nan } }
        let dy = Buffer(integers: pooling.outputCount, &generator)
        let before = Buffer(integers: pooling.inputCount, &generator)
        var expected = [Double](repeating: 0, count: pooling.outputCount)
        var expectedArgmax = [UInt8](repeating: 0, count: pooling.outputCount)
        var expectedGradient = [Double](repeating: 0, count: pooling.inputCount)
        pooling.forEachWindow { output, window in
            let nan = window.first { x.pointer[$0.input].isNaN }
            let largest = window.reduce(-Float.infinity) { max($0, x.pointer[$1.input]) }
            let chosen = nan ?? window.first { x.pointer[$0.input] == largest } ?? window[0]
            expected[output] = Double(x.pointer[chosen.input])
            expectedArgmax[output] = UInt8(chosen.index)
            expectedGradient[chosen.input] += Double(dy.pointer[output])
        }
        for isa in availableISAs {
            for threads in isa == availableISAs.last ? threadCounts : [2] {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads) \(pooling)"
                    let y = Buffer(pooling.outputCount), unindexed = Buffer(pooling.outputCount)
                    let argmax = Bytes(pooling.outputCount)
                    ck_max_pool_forward(&pooling, nil, x.pointer, y.pointer, argmax.pointer)
                    ck_max_pool_forward(&pooling, nil, x.pointer, unindexed.pointer, nil)
                    #expect(firstError(y, expected, bound: { _ in 0 }, name) == nil)
                    #expect(firstDifference(y, unindexed, name) == nil)
                    #expect(argmax.values == expectedArgmax, "\(name)")
                    let dx = Buffer(pooling.inputCount), added = before.copy()
                    ck_max_pool_backward(&pooling, nil, expectedArgmax, nil, dy.pointer, dx.pointer, false)
                    ck_max_pool_backward(&pooling, nil, expectedArgmax, nil, dy.pointer, added.pointer, true)
                    #expect(firstError(dx, expectedGradient, bound: { _ in 0 }, name) == nil)
                    let sum = zip(expectedGradient, before.values).map { $0 + Double($1) }
                    #expect(firstError(added, sum, bound: { _ in 0 }, name) == nil)
                    #expect(
                        y.guardsIntact && unindexed.guardsIntact && dx.guardsIntact && added.guardsIntact
                            && argmax.guardIntact, "\(name)")
                }
            }
        }
    }

    @Test(arguments: channelCounts, 0..<3)
    func averagePooling(channels: Int, variant: Int) {
        var generator = Generator(seed: UInt64(channels * 10 + variant + 5000))
        let pooling = randomPooling(&generator, channels: channels)
        Self.verifyAverages(pooling, variant: variant, &generator)
    }

    private static func verifyAverages(_ shape: ck_pooling, variant: Int, _ generator: inout Generator) {
        var pooling = shape
        let x = Buffer(uniform: pooling.inputCount, &generator)
        let dy = Buffer(uniform: pooling.outputCount, &generator)
        let before = Buffer(uniform: pooling.inputCount, &generator)
        if variant == 2 {
            x.pointer[generator.integer(0...(x.count - 1))] = .nan
            dy.pointer[generator.integer(0...(dy.count - 1))] = .nan
        }
        var expected = [Double](repeating: 0, count: pooling.outputCount)
        var expectedGradient = [Double](repeating: 0, count: pooling.inputCount)
        pooling.forEachWindow { output, window in
            let sum = window.reduce(0.0) { $0 + Double(x.pointer[$1.input]) }
            let count = Double(pooling.meanCount(at: output, inside: window.count))
            expected[output] = sum / count
            for position in window { expectedGradient[position.input] += Double(dy.pointer[output]) / count }
        }
        // At most 25 rounded terms below 1 in absolute value, and as many additions.
        let bound = 2 * 26 * 26 * Double(Float.ulpOfOne / 2)
        for isa in availableISAs {
            for threads in isa == availableISAs.last ? threadCounts : [2] {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads) \(pooling)"
                    let y = Buffer(pooling.outputCount), dx = Buffer(pooling.inputCount), added = before.copy()
                    ck_average_pool_forward(&pooling, x.pointer, y.pointer)
                    ck_average_pool_backward(&pooling, dy.pointer, dx.pointer, false)
                    ck_average_pool_backward(&pooling, dy.pointer, added.pointer, true)
                    #expect(firstError(y, expected, bound: { _ in 26 * Double(Float.ulpOfOne / 2) }, name) == nil)
                    #expect(firstError(dx, expectedGradient, bound: { _ in bound }, name) == nil)
                    let sum = zip(expectedGradient, before.values).map { $0 + Double($1) }
                    #expect(firstError(added, sum, bound: { _ in bound }, name) == nil)
                    #expect(y.guardsIntact && dx.guardsIntact && added.guardsIntact, "\(name)")
                }
            }
        }
    }

    /// Averages of equal elements are exact, for any share of padding in the window.
    @Test func paddingIsNotCounted() {
        var pooling = ck_pooling(
            batch: 1, height: 4, width: 5, channels: 3, out_height: 4, out_width: 5, window_h: 3, window_w: 3,
            stride_h: 1, stride_w: 1, pad_top: 1, pad_left: 1)
        let x = Buffer([Float](repeating: 7, count: pooling.inputCount)), y = Buffer(pooling.outputCount)
        ck_average_pool_forward(&pooling, x.pointer, y.pointer)
        #expect(y.values.allSatisfy { $0 == 7 })
    }

    /// (batch, positions, channels)
    static let global = [
        (1, 1, 1), (2, 64, 10), (3, 7, 200), (5, 4, 3), (1, 1000, 65), (32, 16, 17), (4, 130, 96), (7, 50, 70),
    ]

    @Test(arguments: global)
    func globalAveragePooling(batch: Int, positions: Int, channels: Int) {
        var generator = Generator(seed: UInt64(batch + positions + channels))
        let x = Buffer(uniform: batch * positions * channels, &generator)
        let dy = Buffer(uniform: batch * channels, &generator)
        let before = Buffer(uniform: x.count, &generator)
        x.pointer[x.count / 2] = .nan
        var expected = [Double](repeating: 0, count: batch * channels)
        var expectedGradient = [Double](repeating: 0, count: x.count)
        for b in 0..<batch {
            for p in 0..<positions {
                for c in 0..<channels {
                    let place = (b * positions + p) * channels + c
                    expected[b * channels + c] += Double(x.pointer[place]) / Double(positions)
                    expectedGradient[place] = Double(dy.pointer[b * channels + c]) / Double(positions)
                }
            }
        }
        let sum = zip(expectedGradient, before.values).map { $0 + Double($1) }
        let epsilon = Double(Float.ulpOfOne / 2)
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads)"
                    let y = Buffer(dy.count), dx = Buffer(x.count), added = before.copy()
                    ck_global_average_pool_forward(
                        Int64(batch), Int64(positions), Int64(channels), x.pointer, y.pointer)
                    for (target, accumulate) in [(dx, false), (added, true)] {
                        ck_global_average_pool_backward(
                            Int64(batch), Int64(positions), Int64(channels), dy.pointer, target.pointer, accumulate)
                    }
                    // The kernel adds 64 terms, and then the sums: every term passes at most 64 + positions/64
                    // additions.
                    let depth = Double(min(positions, 64) + positions / 64 + 2)
                    #expect(firstError(y, expected, bound: { _ in depth * epsilon }, name) == nil)
                    #expect(
                        firstError(dx, expectedGradient, bound: { epsilon * abs(expectedGradient[$0]) }, name) == nil)
                    #expect(firstError(added, sum, bound: { _ in 3 * epsilon }, name) == nil)
                    #expect(y.guardsIntact && dx.guardsIntact && added.guardsIntact)
                }
            }
        }
    }

    @Test func threadsDoNotChangeBits() {
        var generator = Generator(seed: 77)
        var pooling = ck_pooling(
            batch: 5, height: 33, width: 29, channels: 24, out_height: 16, out_width: 14, window_h: 3, window_w: 3,
            stride_h: 2, stride_w: 2, pad_top: 0, pad_left: 0)
        #expect(ck_pooling_check(&pooling, nil) == nil)
        let x = Buffer(uniform: pooling.inputCount, &generator), dy = Buffer(uniform: pooling.outputCount, &generator)
        for isa in availableISAs {
            var results: [[Float]] = []
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let y = Buffer(pooling.outputCount), average = Buffer(pooling.outputCount)
                    let argmax = Bytes(pooling.outputCount)
                    let dx = Buffer(pooling.inputCount), averageGradient = Buffer(pooling.inputCount)
                    ck_max_pool_forward(&pooling, nil, x.pointer, y.pointer, argmax.pointer)
                    ck_max_pool_backward(&pooling, nil, argmax.pointer, nil, dy.pointer, dx.pointer, false)
                    ck_average_pool_forward(&pooling, x.pointer, average.pointer)
                    ck_average_pool_backward(&pooling, dy.pointer, averageGradient.pointer, false)
                    results.append(y.values + average.values + dx.values + averageGradient.values)
                }
            }
            #expect(results.allSatisfy { $0 == results[0] })
        }
    }

    @Test func checkNamesWhatIsWrong() throws {
        let good = ck_pooling(
            batch: 1, height: 8, width: 8, channels: 4, out_height: 4, out_width: 4, window_h: 2, window_w: 2,
            stride_h: 2,
            stride_w: 2, pad_top: 0, pad_left: 0)
        func reason(_ change: (inout ck_pooling) -> Void) -> String? {
            var pooling = good
            change(&pooling)
            return ck_pooling_check(&pooling, nil).map { String(cString: $0) }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { $0.batch = 0 }?.contains("batch") == true)
        #expect(reason { $0.channels = -1 }?.contains("channels") == true)
        #expect(reason { $0.out_width = 0 }?.contains("output") == true)
        #expect(reason { $0.window_h = 0 }?.contains("window") == true)
        #expect(reason { ($0.window_h, $0.window_w) = (16, 16) }?.contains("255") == true)
        #expect(reason { ($0.window_h, $0.window_w) = (.max, 2) }?.contains("255") == true)
        #expect(reason { ($0.window_h, $0.window_w) = (5, 51) } == nil)
        #expect(reason { $0.stride_w = 0 }?.contains("stride") == true)
        #expect(reason { $0.pad_top = -1 }?.contains("padding") == true)
        #expect(reason { $0.pad_top = 2 }?.contains("window") == true)
        #expect(reason { $0.out_height = 5 }?.contains("window") == true)
        #expect(reason { ($0.stride_h, $0.out_height) = (.max / 2, 4) }?.contains("stride") == true)
        #expect(reason { ($0.height, $0.width) = (1 << 40, 1 << 40) }?.contains("input") == true)
        #expect(reason { ($0.batch, $0.channels) = (1 << 40, 1 << 18) }?.contains("large") == true)
    }
}
