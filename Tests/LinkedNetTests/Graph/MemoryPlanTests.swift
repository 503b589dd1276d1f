import Testing

@testable import LinkedNet
@testable import PaperNetworks

@Suite struct MemoryPlanTests {
    private func requests(seed: UInt64) -> [MemoryPlan.Request] {
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2002))
        let count = 1 + Int(random.next(below: 60))
        return (0..<count).map { _ in
            let start = Int(random.next(below: 40))
            let end = start + Int(random.next(below: random.next(below: 4) == 0 ? 40 : 5))
            // Requests have sizes of 0, sizes with and without a remainder of 64, and a few large sizes.
            let bytes = Int(random.next(below: random.next(below: 5) == 0 ? 100_000 : 700))
            return .init(bytes: random.next(below: 9) == 0 ? 0 : bytes, lifetime: start...end)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func noTwoLiveBuffersOverlap(seed: UInt64) {
        let requests = requests(seed: seed)
        let plan = MemoryPlan(requests)
        #expect(plan.offsets.count == requests.count)
        var unshared = 0
        var needed = 0
        for (index, request) in requests.enumerated() {
            let start = plan.offsets[index]
            #expect(start >= 0 && start % 64 == 0)
            #expect(start + request.bytes <= plan.totalBytes)
            unshared += (request.bytes + 63) / 64 * 64
            for other in requests.indices[..<index]
            where request.bytes > 0 && requests[other].bytes > 0
                && request.lifetime.overlaps(requests[other].lifetime)
            {
                let otherStart = plan.offsets[other]
                #expect(
                    start + request.bytes <= otherStart || otherStart + requests[other].bytes <= start,
                    "\(index) and \(other)")
            }
        }
        for moment in 0..<80 {
            let live = requests.filter { $0.lifetime.contains(moment) }
            needed = max(needed, live.reduce(0) { $0 + ($1.bytes + 63) / 64 * 64 })
        }
        #expect(plan.totalBytes <= unshared)
        #expect(plan.totalBytes >= needed)
    }

    @Test func buffersThatNeverMeetShareMemory() {
        let plan = MemoryPlan((0..<10).map { .init(bytes: 1000, lifetime: $0...$0) })
        #expect(plan.totalBytes == 1024)
        #expect(plan.offsets == Array(repeating: 0, count: 10))
        #expect(MemoryPlan([]).totalBytes == 0)
    }

    @Test func aNetworkSharesMemory() throws {
        let network = try Network(AllCNN(), input: [32, 32, 3], batch: 2)
        #expect(network.memory.arenaBytes < network.memory.unsharedArenaBytes * 3 / 4)
        #expect(network.memory.arenaBytes > 0)
    }
}
