import Foundation

/// A thread that prepares batches in order, from a given one on, until it is stopped or one fails.
///
/// The slots form a ring. `prepared` counts batches written, `taken` those handed out, `released` those whose memory
/// may be written again; always released ≤ taken ≤ prepared ≤ released + slots.
///
/// Why `@unchecked Sendable` holds: the counters, `failure`, `stopping` and `finished` are touched with `condition`
/// locked only. The thread alone uses `preparation` and writes `ring` until `finished`; the caller reads an element of
/// `ring`, and the slot's memory, only after `prepared` says that it is written, and the thread writes it again only
/// after `released` says that it was given back. The lock orders both. The caller keeps off `preparation` while a
/// worker lives.
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

    /// Starts a thread whose first batch is this one, which must exist. Without a thread to be had, ``take()`` throws
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

    /// The next batch, as soon as it is there. Gives back the memory of the one before.
    ///
    /// - Throws: what ended the thread, once all batches before were taken.
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

    /// Tells the thread to end and waits until it has. A batch in preparation is finished first.
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

    /// Waits for a slot that may be written; nil if the thread is to end.
    private func freeSlot() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while prepared == released + preparation.slotCount, !stopping { condition.wait() }
        return stopping ? nil : prepared % preparation.slotCount
    }
}
