import AllocationCounter
import LinkedNet
import PaperNetworks
import Testing

@Suite(.enabled(if: allocations_are_counted(), "a sanitizer owns malloc")) struct LoaderAllocationTests {
    /// The test prepares a batch on the calling thread and counts this thread's allocations. The loader's thread runs
    /// the same code.
    @Test func aWarmBatchAllocatesNothing() throws {
        let loader = try BatchLoader(
            dataset: SyntheticShapes.dataset(count: 100, seed: 1, split: .train).prefix(90), batchSize: 16,
            sampler: .shuffled,
            augmentation: .paper, prefetching: 0)
        while let _ = try loader.next() {}
        for _ in 0..<2 * loader.batchesPerEpoch {
            let before = allocation_count()
            let batch = try loader.next()
            let after = allocation_count()
            #expect(after == before, "batch \(String(describing: batch?.index))")
        }
    }
}
