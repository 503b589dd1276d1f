import Testing

@testable import LinkedNet

@Suite struct PrefetchWorkerTests {
    /// The worker reports the error instead of waiting for ever.
    @Test func withoutAThreadThereIsAnError() throws {
        let preparation = try BatchPreparation(
            dataset: NumberedDataset(count: 5), batchSize: 2, sampler: .fileOrder, augmentation: .none, seed: 1,
            slots: 2)
        let worker = PrefetchWorker(preparation, epoch: 0, batch: 0) { _ in false }
        #expect(throws: OutOfThreads.self) { try worker.take() }
        worker.stop()
    }
}
