import LinkedNet
import Testing

@Suite struct SamplerTests {
    @Test(arguments: Sampler.allCases, [0, 1, 2, 7, 1000])
    func visitsEverySampleOnce(sampler: Sampler, count: Int) {
        #expect(sampler.order(count: count, seed: 1, epoch: 3).sorted() == (0..<Int64(count)).map(\.self))
    }

    @Test func fileOrderStays() {
        #expect(Sampler.fileOrder.order(count: 5, seed: 9, epoch: 9) == [0, 1, 2, 3, 4])
    }

    @Test func shufflesDifferByEpochAndSeed() {
        let orders = [(1, 0), (1, 1), (2, 0), (2, 1)].map { Sampler.shuffled.order(count: 100, seed: $0, epoch: $1) }
        #expect(Set(orders).count == 4)
        #expect(Sampler.shuffled.order(count: 100, seed: 1, epoch: 1) == orders[1])
    }

    @Test func everyPermutationIsAsLikely() {
        var counts: [[Int64]: Int] = [:]
        for epoch in 0..<6_000 { counts[Sampler.shuffled.order(count: 3, seed: 5, epoch: epoch), default: 0] += 1 }
        let chiSquared = counts.values.map { Double(($0 - 1_000) * ($0 - 1_000)) / 1_000 }.reduce(0, +)
        #expect(counts.count == 6)
        // The bound for five degrees of freedom is exceeded once in 100,000.
        #expect(chiSquared < 30.9)
    }
}
