import LinkedNet
import Testing

@Suite struct CounterRandomTests {
    private func numbers(_ random: CounterRandom, count: Int = 8) -> [UInt64] {
        var random = random
        return (0..<count).map { _ in random.next() }
    }

    @Test func sameFourGiveTheSameNumbers() {
        let first = CounterRandom(seed: 1, epoch: 2, sample: 3, use: .dropout)
        #expect(numbers(first) == numbers(CounterRandom(seed: 1, epoch: 2, sample: 3, use: .dropout)))
    }

    @Test func everyPartOfTheKeyMatters() {
        let high: UInt64 = 1 << 40
        let streams = [
            CounterRandom(seed: 0, use: .shuffle),
            CounterRandom(seed: 1, use: .shuffle), CounterRandom(seed: high, use: .shuffle),
            CounterRandom(seed: 0, epoch: 1, use: .shuffle), CounterRandom(seed: 0, epoch: high, use: .shuffle),
            CounterRandom(seed: 0, sample: 1, use: .shuffle), CounterRandom(seed: 0, sample: high, use: .shuffle),
            CounterRandom(seed: 0, use: .augmentation), CounterRandom(seed: 0, use: RandomUse(rawValue: 1024)),
        ]
        let all = streams.flatMap { numbers($0) }
        #expect(Set(all).count == all.count)
    }

    @Test func streamsDoNotDependOnTheOrderOfCalls() {
        var a = CounterRandom(seed: 7, sample: 1, use: .augmentation)
        var b = CounterRandom(seed: 7, sample: 2, use: .augmentation)
        var mixed: [[UInt64]] = [[], []]
        for _ in 0..<8 {
            mixed[1].append(b.next())
            mixed[0].append(a.next())
        }
        #expect(mixed[0] == numbers(CounterRandom(seed: 7, sample: 1, use: .augmentation)))
        #expect(mixed[1] == numbers(CounterRandom(seed: 7, sample: 2, use: .augmentation)))
    }

    @Test func keyIsTheFirstNumber() {
        var random = CounterRandom(seed: 9, epoch: 8, sample: 7, use: .dropout)
        #expect(CounterRandom.key(seed: 9, epoch: 8, sample: 7, use: .dropout) == random.next())
    }

    @Test func bitsAreBalanced() {
        var random = CounterRandom(seed: 3, use: .initialization)
        var ones = [Int](repeating: 0, count: 64)
        let count = 4096
        for _ in 0..<count {
            let number = random.next()
            for bit in 0..<64 where number >> UInt64(bit) & 1 == 1 { ones[bit] += 1 }
        }
        // Five standard deviations of a fair coin: √4096 / 2 · 5 = 160.
        #expect(ones.allSatisfy { abs($0 - count / 2) < 160 })
    }

    @Test func uniformHasItsMeanAndVariance() {
        var random = CounterRandom(seed: 4, use: .initialization)
        let values = (0..<20_000).map { _ in random.uniform() }
        let mean = values.reduce(0, +) / 20_000
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 20_000
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        // Five standard errors: √(1/12 / 20,000) · 5, and √(1/180 / 20,000) · 5 of the variance.
        #expect(abs(mean - 0.5) < 0.0103)
        #expect(abs(variance - 1 / 12.0) < 0.0027)
    }

    @Test func uniformStaysInItsRange() {
        var random = CounterRandom(seed: 5, use: .initialization)
        let values = (0..<2_000).map { _ in random.uniform(in: -3 ... -1) }
        #expect(values.allSatisfy { $0 >= -3 && $0 <= -1 })
        #expect(values.min()! < -2.98 && values.max()! > -1.02)
        #expect(random.uniform(in: 2...2) == 2)
    }

    @Test func normalHasItsMoments() {
        var random = CounterRandom(seed: 6, use: .initialization)
        let values = (0..<20_000).map { _ in random.normal() }
        let moments = (1...4).map { power in
            values.map { value in (0..<power).reduce(1.0) { product, _ in product * value } }.reduce(0, +) / 20_000
        }
        // 0, 1, 0, 3; five standard errors √(1, 2, 15, 96) / √20,000 · 5.
        #expect(abs(moments[0]) < 0.036)
        #expect(abs(moments[1] - 1) < 0.05)
        #expect(abs(moments[2]) < 0.137)
        #expect(abs(moments[3] - 3) < 0.347)
    }

    @Test(arguments: [1, 2, 3, 10, 1000, 1 << 63, (1 << 63) + 1, .max] as [UInt64])
    func boundedNumbersStayBelow(bound: UInt64) {
        var random = CounterRandom(seed: 7, use: .shuffle)
        for _ in 0..<200 {
            let number = random.next(below: bound)
            #expect(number < bound)
        }
    }

    @Test func boundedNumbersAreUniform() {
        var random = CounterRandom(seed: 8, use: .shuffle)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<14_000 { counts[Int(random.next(below: 7))] += 1 }
        let chiSquared = counts.map { Double(($0 - 2_000) * ($0 - 2_000)) / 2_000 }.reduce(0, +)
        // The bound for six degrees of freedom is exceeded once in 100,000.
        #expect(chiSquared < 33.1)
        #expect(random.next(below: 0) == 0)
    }

    /// A range of 3·2⁶² numbers: with a modulo in place of rejection, the lower third would come twice as often.
    @Test func boundedNumbersHaveNoBias() {
        var random = CounterRandom(seed: 9, use: .shuffle)
        let third: UInt64 = 1 << 62
        var low = 0
        for _ in 0..<6_000 where random.next(below: 3 * third) < third { low += 1 }
        // A third of 6,000, and five standard deviations √(6,000 · 2/9) · 5.
        #expect(abs(low - 2_000) < 183)
    }
}
