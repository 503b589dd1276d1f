/// Delivers a data set in batches, epoch after epoch. Meanwhile a thread of the loader prepares the next batches.
///
/// ```swift
/// let loader = try BatchLoader(dataset: train, batchSize: 32, sampler: .shuffled, seed: 1)
/// for _ in 0 ..< 10 {
///     while let batch = try loader.next() { … }   // nil ends an epoch; the next call begins the following one
/// }
/// ```
///
/// The content of a batch depends on the arguments, the epoch and the batch's index alone, so ``seek(epoch:batch:)``
/// continues exactly where an earlier run stopped. After the first batch, delivering a batch allocates nothing.
public final class BatchLoader {
    /// The source of the images.
    public let dataset: any Dataset
    /// The number of images of a batch; the last batch of an epoch may be smaller.
    public let batchSize: Int
    /// The number of batches in an epoch, including a smaller last batch.
    public var batchesPerEpoch: Int { preparation.batchesPerEpoch }
    /// The epoch of the batch that ``next()`` delivers next.
    public private(set) var epoch = 0
    /// The index in its epoch of the batch that ``next()`` delivers next; `batchesPerEpoch` if ``next()`` will end the
    /// epoch.
    public private(set) var batchIndex = 0

    private let preparation: BatchPreparation
    private let prefetches: Bool
    private var worker: PrefetchWorker?

    /// A loader that begins with the first batch of epoch 0.
    ///
    /// - Parameters:
    ///   - dataset: the source of the images.
    ///   - batchSize: the number of images of a batch; the last batch of an epoch may be smaller.
    ///   - sampler: the order of each epoch.
    ///   - augmentation: random changes to the images.
    ///   - seed: the seed of the random choices of sampler and augmentation.
    ///   - prefetching: the number of batches to prepare ahead; 0 prepares each batch in ``next()``, on the caller's
    ///     thread.
    /// - Throws: ``ShapeError`` if the batch size is below 1 or the data set's images don't have three dimensions,
    ///   ``OutOfMemory`` if the system has no memory for the batches.
    public init(
        dataset: any Dataset, batchSize: Int, sampler: Sampler = .shuffled, augmentation: Augmentation = .none,
        seed: UInt64 = 0, prefetching: Int = 2
    ) throws {
        let shape = dataset.imageShape
        guard shape.rank == 3 else {
            throw ShapeError(subject: dataset.name, expected: "images of height×width×channels", found: "\(shape)")
        }
        _ = try Shape([batchSize] + shape.dimensions).validated(as: "batch of images")
        self.dataset = dataset
        self.batchSize = batchSize
        prefetches = prefetching > 0
        preparation = try BatchPreparation(
            dataset: dataset, batchSize: batchSize, sampler: sampler, augmentation: augmentation, seed: seed,
            slots: max(prefetching, 0) + 1)
    }

    /// Continues with this batch. An index of ``batchesPerEpoch`` or more is the epoch's end.
    public func seek(epoch: Int, batch: Int) {
        stop()
        self.epoch = epoch
        batchIndex = min(max(batch, 0), batchesPerEpoch)
    }

    /// The next batch, or nil at the end of each epoch.
    ///
    /// - Throws: the error of a data set that failed to load the batch, or ``DataError`` for a label that is no class.
    ///   The loader stays at this batch: the next call tries the batch again.
    public func next() throws -> Batch? {
        guard batchIndex < batchesPerEpoch else {
            epoch += 1
            batchIndex = 0
            return nil
        }
        let batch: Batch
        if prefetches {
            let worker = self.worker ?? PrefetchWorker(preparation, epoch: epoch, batch: batchIndex)
            self.worker = worker
            do {
                batch = try worker.take()
            } catch is OutOfThreads {
                // Without a second thread, the caller's thread prepares the batch: slower, but the same batch.
                stop()
                batch = try preparation.prepare(epoch: epoch, batch: batchIndex, slot: 0)
            } catch {
                stop()
                throw error
            }
        } else {
            batch = try preparation.prepare(epoch: epoch, batch: batchIndex, slot: 0)
        }
        batchIndex += 1
        return batch
    }

    /// Ends the loader's thread, if a thread runs, and waits for the thread's end. ``next()`` starts a thread again.
    public func stop() {
        worker?.stop()
        worker = nil
    }

    deinit {
        worker?.stop()
    }
}
