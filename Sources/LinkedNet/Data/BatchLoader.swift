/// Delivers a data set in batches, epoch after epoch, and prepares the next ones on a thread of its own meanwhile.
///
/// ```swift
/// let loader = try BatchLoader(dataset: train, batchSize: 32, sampler: .shuffled, seed: 1)
/// for _ in 0 ..< 10 {
///     while let batch = try loader.next() { … }   // nil ends an epoch; the next call begins the following one
/// }
/// ```
///
/// The content of a batch depends on the arguments and on its epoch and index alone, so ``seek(epoch:batch:)``
/// continues exactly where an earlier run stopped. Delivering a batch allocates nothing once the first was delivered.
public final class BatchLoader {
    /// Where the images come from.
    public let dataset: any Dataset
    /// The number of images of every batch but the last of an epoch.
    public let batchSize: Int
    /// The number of batches in an epoch, the smaller last one included.
    public var batchesPerEpoch: Int { preparation.batchesPerEpoch }
    /// The epoch of the batch that ``next()`` delivers next.
    public private(set) var epoch = 0
    /// The index in its epoch of the batch that ``next()`` delivers next; `batchesPerEpoch` if it will end the epoch.
    public private(set) var batchIndex = 0

    private let preparation: BatchPreparation
    private let prefetches: Bool
    private var worker: PrefetchWorker?

    /// A loader that begins with the first batch of epoch 0.
    ///
    /// - Parameters:
    ///   - dataset: where the images come from.
    ///   - batchSize: the number of images of a batch; the last batch of an epoch may be smaller.
    ///   - sampler: the order of each epoch.
    ///   - augmentation: random changes to the images.
    ///   - seed: what sampler and augmentation draw from.
    ///   - prefetching: how many batches to prepare ahead; 0 prepares each when it is asked for, on the caller's
    ///     thread.
    /// - Throws: ``ShapeError`` if the batch size is below 1 or the data set's images aren't of three dimensions,
    ///   ``OutOfMemory`` if there is none for the batches.
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
    /// - Throws: what the data set threw when it loaded the batch, or ``DataError`` for a label that is no class.
    ///   The loader stays where it was: calling again tries again.
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
                // The caller's thread does it then: slower, but the same batch.
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

    /// Ends the thread, if there is one, and waits for it. ``next()`` would start it again.
    public func stop() {
        worker?.stop()
        worker = nil
    }

    deinit {
        worker?.stop()
    }
}
