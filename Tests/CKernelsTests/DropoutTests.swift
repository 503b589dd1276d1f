import CKernels
import Testing

/// Philox4x32 (Salmon et al. 2011), word by word.
private func philox(counter: [UInt32], key: (UInt32, UInt32), rounds: Int) -> [UInt32] {
    var (c, k0, k1) = (counter, key.0, key.1)
    for _ in 0..<rounds {
        let first = UInt64(c[0]) * 0xD251_1F53, second = UInt64(c[2]) * 0xCD9E_8D57
        c = [
            UInt32(second >> 32) ^ c[1] ^ k0, UInt32(truncatingIfNeeded: second), UInt32(first >> 32) ^ c[3] ^ k1,
            UInt32(truncatingIfNeeded: first),
        ]
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
    }
    return c
}

/// The word that decides about an element: word w of block 16·span + b belongs to element 64·span + 16·w + b.
private func word(key: UInt64, element: UInt64) -> UInt32 {
    let block = element / 64 * 16 + element % 16
    let counter = [UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), 0, 0]
    return philox(
        counter: counter, key: (UInt32(truncatingIfNeeded: key), UInt32(key >> 32)), rounds: 7)[Int(element % 64 / 16)]
}

/// For each of `count` elements, true if dropout keeps the element.
private func mask(count: Int, key: UInt64, first: UInt64 = 0, rate: Float) -> [Bool] {
    let ones = Buffer([Float](repeating: 1, count: count)), out = Buffer(count)
    ck_dropout(Int64(count), key, first, rate, ones.pointer, out.pointer, false)
    return out.values.map { $0 != 0 }
}

@Suite struct DropoutTests {
    /// Known answers of the authors' Random123 library, for 10 rounds.
    @Test func referenceGeneratorIsPhilox() {
        #expect(
            philox(counter: [0, 0, 0, 0], key: (0, 0), rounds: 10) == [
                0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
            ])
        let ones = UInt32.max
        #expect(
            philox(counter: [ones, ones, ones, ones], key: (ones, ones), rounds: 10)
                == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    }

    @Test(
        arguments: [
            (1, 0, 0.5), (63, 1, 0.3), (64, 64, 0.3), (200, 17, 0.25), (9000, 0xFFFF_FFF0, 0.5),
            (500, 0xF_FFFF_FFF1, 0.9),
            (8200, 3, 0.0), (100, 0, 0.999),
        ] as [(Int, UInt64, Float)])
    func maskFollowsTheGenerator(count: Int, first: UInt64, rate: Float) {
        var generator = Generator(seed: UInt64(count))
        let key: UInt64 = 0x0123_4567_89AB_CDEF
        let x = Buffer(uniform: count, &generator, misaligned: true), before = Buffer(uniform: count, &generator)
        x.pointer[count / 2] = .nan
        let threshold = UInt32(Double(rate) * 4_294_967_296)
        let expected = Buffer(
            (0..<count).map {
                word(key: key, element: first &+ UInt64($0)) >= threshold ? x.pointer[$0] / (1 - rate) : 0
            })
        let sum = Buffer((0..<count).map { before.pointer[$0] + expected.pointer[$0] })
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let name = "\(isa) \(threads)"
                    let out = Buffer(count), inPlace = x.copy(), added = before.copy()
                    ck_dropout(Int64(count), key, first, rate, x.pointer, out.pointer, false)
                    ck_dropout(Int64(count), key, first, rate, inPlace.pointer, inPlace.pointer, false)
                    ck_dropout(Int64(count), key, first, rate, x.pointer, added.pointer, true)
                    #expect(firstDifference(out, expected, name) == nil)
                    #expect(firstDifference(inPlace, expected, name) == nil)
                    #expect(firstDifference(added, sum, name) == nil)
                    #expect(out.guardsIntact && inPlace.guardsIntact && added.guardsIntact)
                }
            }
        }
    }

    @Test func splittingDoesNotChangeTheMask() {
        let whole = mask(count: 1000, key: 9, rate: 0.4)
        var pieces: [Bool] = []
        for length in [1, 5, 64, 130, 300, 500] {
            pieces += mask(count: length, key: 9, first: UInt64(pieces.count), rate: 0.4)
        }
        #expect(pieces == whole)
    }

    /// The counts of n independent decisions stay within 4.5 standard deviations (except in one of 150,000 trials).
    @Test(arguments: [0.1, 0.25, 0.5, 0.8] as [Float])
    func rateAndIndependence(rate: Float) {
        let n = 40_000, keepRate = 1 - Double(rate)
        func isPlausible(_ count: Int, probability: Double, of total: Int) -> Bool {
            let mean = probability * Double(total)
            return abs(Double(count) - mean) <= 4.5 * (mean * (1 - probability)).squareRoot()
        }
        let masks = [0, 1, 2, 1 << 32, 1 << 63].map { mask(count: n, key: $0, rate: rate) }
        for one in masks {
            #expect(isPlausible(one.reduce(0) { $0 + ($1 ? 1 : 0) }, probability: keepRate, of: n))
            // Neighbours, and elements at a distance of 16 and 64, share a block or a lane.
            for distance in [1, 16, 64] {
                let both = (0..<(n - distance)).reduce(0) { $0 + (one[$1] && one[$1 + distance] ? 1 : 0) }
                // The variance of overlapping pairs is larger than of disjoint pairs, by a factor of up to (1 + 3·p)/(1
                // + p), below 2.
                let mean = keepRate * keepRate * Double(n - distance)
                #expect(abs(Double(both) - mean) <= 4.5 * (2 * mean * (1 - keepRate * keepRate)).squareRoot())
            }
        }
        for a in 0..<masks.count {
            for b in 0..<a {
                let both = (0..<n).reduce(0) { $0 + (masks[a][$1] && masks[b][$1] ? 1 : 0) }
                #expect(isPlausible(both, probability: keepRate * keepRate, of: n))
            }
        }
    }
}
