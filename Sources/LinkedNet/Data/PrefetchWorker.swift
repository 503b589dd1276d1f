import Foundation

/// A thread that prepares batches in order, from a given batch on, until the thread is stopped or a batch fails.
///
/// The slots form a ring. `prepared` counts the written batches. `taken` counts the batches that were handed out.
/// `released` counts the batches whose memory may be written again. Always released ≤ taken ≤ prepared ≤ released +
/// slots.
///
/// `@unchecked Sendable` holds for these reasons. The counters, `failure`, `stopping` and `finished` are used only
/// while `condition` is locked. Until `finished`, only the thread uses `preparation` and writes `ring`. The caller
/// reads an element of `ring`, and the slot's memory, only after `prepared` says that the slot is written. The thread
/// writes the slot again only after `released` says that the slot was given back. The lock orders both. The caller
/// doesn't use `preparation` while a worker lives.
final class PrefetchWorker: @unchecked Sendable {
    private let condition = NSCondition()
    private let preparation: BatchPreparation
    private let ring: UnsafeMutablePointer<Batch?>
    private var prepared = 0
    private var taken = 0
    private var released = 0
    private var failure: (any Error)?
    private var stopping = false
    private var finished = false

    /// Starts a thread that begins with this batch, which must exist. If the system gives no thread, ``take()`` throws
    /// ``OutOfThreads``.
    init(
        _ preparation: BatchPreparation, epoch: Int, batch: Int,
        startThread: (@escaping @Sendable () -> Void) -> Bool = { Runtime.startThread($0) }
    ) {
        self.preparation = preparation
        ring = .allocate(capacity: preparation.slotCount)
        ring.initialize(repeating: nil, count: preparation.slotCount)
        if !startThread({ self.run(epoch: epoch, batch: batch) }) { (failure, finished) = (OutOfThreads(), true) }
    }

    deinit {
        ring.deinitialize(count: preparation.slotCount)
        ring.deallocate()
    }

    /// Waits for the next batch and returns this batch. Gives back the memory of the batch before.
    ///
    /// - Throws: the error that ended the thread, after all batches before the error were taken.
    func take() throws -> Batch {
        condition.lock()
        defer { condition.unlock() }
        released = taken
        condition.broadcast()
        while prepared == taken, !finished { condition.wait() }
        guard prepared > taken, let batch = ring[taken % preparation.slotCount] else {
            throw failure ?? CancellationError()
        }
        taken += 1
        return batch
    }

    /// Tells the thread to end, and waits for the end. The thread finishes a batch in preparation first.
    func stop() {
        condition.lock()
        stopping = true
        condition.broadcast()
        while !finished { condition.wait() }
        condition.unlock()
    }

    private func run(epoch: Int, batch: Int) {
        var (epoch, batch) = (epoch, batch)
        var problem: (any Error)?
        while let slot = freeSlot() {
            do {
                ring[slot] = try preparation.prepare(epoch: epoch, batch: batch, slot: slot)
            } catch {
                problem = error
                break
            }
            batch += 1
            if batch == preparation.batchesPerEpoch { (epoch, batch) = (epoch + 1, 0) }
            condition.lock()
            prepared += 1
            condition.broadcast()
            condition.unlock()
        }
        condition.lock()
        failure = problem
        finished = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for a slot that may be written; nil if the thread has to end.
    private func freeSlot() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while prepared == released + preparation.slotCount, !stopping { condition.wait() }
        return stopping ? nil : prepared % preparation.slotCount
    }
}
