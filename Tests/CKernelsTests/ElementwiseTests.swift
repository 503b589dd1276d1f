import CKernels
import Testing

@Suite struct ElementwiseTests {
    static let counts = [0, 1, 3, 4, 7, 15, 16, 17, 31, 33, 64, 127, 1000, 8192, 8193, 30_011]
    static let sumCounts = counts + [700_001]

    @Test(arguments: counts)
    func addCopyScale(count: Int) {
        var generator = Generator(seed: UInt64(count))
        let a = Buffer(uniform: count, &generator), b = Buffer(uniform: count, &generator, misaligned: true)
        if count > 3 { b.pointer[2] = .nan }
        let sum = Buffer((0..<count).map { a.pointer[$0] + b.pointer[$0] })
        let scaled = Buffer((0..<count).map { b.pointer[$0] * 0.3 })
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads)", n = Int64(count)
                    let out = Buffer(count), left = a.copy(), right = b.copy(), added = b.copy(), copied = Buffer(count)
                    let product = b.copy()
                    ck_add(n, a.pointer, b.pointer, out.pointer)
                    ck_add(n, left.pointer, b.pointer, left.pointer)
                    ck_add(n, a.pointer, right.pointer, right.pointer)
                    ck_copy(n, a.pointer, added.pointer, true)
                    ck_copy(n, a.pointer, copied.pointer, false)
                    ck_scale(n, 0.3, product.pointer)
                    for buffer in [out, left, right, added] { #expect(firstDifference(buffer, sum, name) == nil) }
                    #expect(firstDifference(copied, a, name) == nil)
                    #expect(firstDifference(product, scaled, name) == nil)
                    #expect([out, left, right, added, copied, product].allSatisfy { $0.guardsIntact })
                }
            }
        }
    }

    /// (rows, channels, wide channels, offset)
    static let concatenations = [
        (1, 1, 1, 0), (5, 3, 7, 2), (9, 4, 8, 4), (40, 96, 192, 96), (33, 17, 50, 0), (1000, 20, 33, 13),
        (3, 200, 201, 1),
    ]

    @Test(arguments: concatenations)
    func concatenation(rows: Int, channels: Int, wideChannels: Int, offset: Int) {
        var generator = Generator(seed: UInt64(rows))
        let narrow = Buffer(uniform: rows * channels, &generator)
        let wide = Buffer(uniform: rows * wideChannels, &generator)
        let expectedWide = wide.copy(), slice = Buffer(rows * channels), sum = Buffer(rows * channels)
        for row in 0..<rows {
            for c in 0..<channels {
                let place = row * wideChannels + offset + c
                slice.pointer[row * channels + c] = wide.pointer[place]
                sum.pointer[row * channels + c] = wide.pointer[place] + narrow.pointer[row * channels + c]
                expectedWide.pointer[place] = narrow.pointer[row * channels + c]
            }
        }
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let written = wide.copy(), taken = Buffer(rows * channels), added = narrow.copy()
                    ck_concat_forward(
                        Int64(rows), Int64(channels), narrow.pointer, Int64(wideChannels), Int64(offset),
                        written.pointer)
                    for (target, accumulate) in [(taken, false), (added, true)] {
                        ck_concat_backward(
                            Int64(rows), Int64(channels), wide.pointer, Int64(wideChannels), Int64(offset),
                            target.pointer,
                            accumulate)
                    }
                    #expect(firstDifference(written, expectedWide, "wide") == nil)
                    #expect(firstDifference(taken, slice, "slice") == nil)
                    #expect(firstDifference(added, sum, "sum") == nil)
                    #expect(written.guardsIntact && taken.guardsIntact && added.guardsIntact)
                }
            }
        }
    }

    @Test(arguments: sumCounts)
    func sumOfSquares(count: Int) {
        var generator = Generator(seed: UInt64(count + 1))
        let x = Buffer(uniform: count, &generator, misaligned: true)
        var expected = 0.0
        for index in 0..<count { expected += Double(x.pointer[index]) * Double(x.pointer[index]) }
        for isa in availableISAs {
            let sums = threadCounts.map { threads in
                with(isa: isa, threads: threads) { ck_sum_of_squares(Int64(count), x.pointer) }
            }
            #expect(abs(sums[0] - expected) <= Double(count + 1) * .ulpOfOne * expected)
            #expect(sums.allSatisfy { $0 == sums[0] })
        }
        if count == 0 { return }
        for bad in [Float.nan, .infinity, -.infinity] {
            let kept = x.pointer[count / 2]
            defer { x.pointer[count / 2] = kept }
            x.pointer[count / 2] = bad
            for isa in availableISAs {
                let sum = with(isa: isa) { ck_sum_of_squares(Int64(count), x.pointer) }
                #expect(bad.isNaN ? sum.isNaN : sum == .infinity)
            }
        }
    }

    @Test(arguments: sumCounts)
    func firstNonfinite(count: Int) {
        var generator = Generator(seed: UInt64(count + 2))
        let x = Buffer(uniform: count, &generator)
        func found() -> [Int64] {
            availableISAs.flatMap { isa in
                [1, 2].map { threads in with(isa: isa, threads: threads) { ck_first_nonfinite(Int64(count), x.pointer) }
                }
            }
        }
        #expect(found().allSatisfy { $0 == -1 })
        if count == 0 { return }
        x.pointer[0] = .greatestFiniteMagnitude
        #expect(found().allSatisfy { $0 == -1 })
        // The loop goes from the end to the front, so that each place is the first with a bad number.
        var places = Set([count - 1, count / 2, count / 3, 0])
        while let place = places.max() {
            places.remove(place)
            x.pointer[place] = [.nan, .infinity, -.infinity, -.nan][place % 4]
            #expect(found().allSatisfy { $0 == Int64(place) })
        }
    }
}
