import Foundation

/// Writes a run's checkpoints while it trains: one at a time, on a thread of its own, from a copy, so that no step
/// waits for a disk.
///
/// Why `@unchecked Sendable` holds: `isBusy`, `readsBest` and `outcome` are touched with `condition` locked only.
/// Everything else is the caller's while `isBusy` is false, and the thread's from its start until it sets that; the
/// lock orders both.
final class CheckpointWriter: @unchecked Sendable {
    /// The content of a save besides tensors.
    struct Content: Sendable {
        let position: TrainingPosition
        let metadata: [String: String]
        /// The lines of the metrics since the save before.
        let lines: [String]
        /// The best weights, if no save has taken them yet.
        var best: BestWeights?
    }

    /// How a save ended.
    struct Outcome {
        let position: TrainingPosition
        let metadata: [String: String]
        let error: CheckpointError?
        /// The epoch of the best weights that it took, if it took some.
        let bestEpoch: Int?
    }

    /// False if a power failure may undo the changes of names that a save makes: the directory's file system can't
    /// synchronise directories.
    let namesLast: Bool

    private let condition = NSCondition()
    private var isBusy = false
    /// True if the running save reads the best weights.
    private var readsBest = false
    private var outcome: Outcome?
    private let generations: Generations
    private let metrics: LineFile
    private let memory: AlignedStorage<Float>
    /// The tensors as they are copied to `memory`.
    private let copies: [BorrowedTensor]
    /// Calls a body on a thread of its own; false if the system has none.
    private let startThread: (@escaping @Sendable () -> Void) -> Bool

    /// - Parameters:
    ///   - tensors: like those that will be saved.
    ///   - startThread: calls a body on a thread of its own; false if there is none to be had.
    /// - Throws: ``OutOfMemory`` if there is none for a copy of them, ``CheckpointError`` if the directory can't be
    ///   brought to the disk.
    init(
        _ generations: Generations, metrics: LineFile, tensors: [BorrowedTensor],
        startThread: @escaping (@escaping @Sendable () -> Void) -> Bool = { Runtime.startThread($0) }
    ) throws {
        namesLast = try generations.settle()
        self.generations = generations
        self.metrics = metrics
        self.startThread = startThread
        memory = try AlignedStorage(count: tensors.reduce(0) { $0 + $1.elements.count })
        copies = BorrowedTensor.places(for: tensors, in: memory)
    }

    /// True while a save is running.
    var isSaving: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isBusy
    }

    /// Begins a save; none may be running.
    ///
    /// - Parameter tensors: free to change again when this returns.
    func begin(_ tensors: [BorrowedTensor], _ content: Content) {
        condition.lock()
        precondition(!isBusy, "one save at a time")
        (isBusy, readsBest) = (true, content.best != nil)
        condition.unlock()
        BorrowedTensor.copy(tensors, to: copies)
        metrics.add(content.lines)
        // Where the system has no thread to give, the step waits for the disk.
        if !startThread({ self.finish(content) }) { finish(content) }
    }

    private func finish(_ content: Content) {
        let outcome = Outcome(
            position: content.position, metadata: content.metadata, error: write(copies, content), bestEpoch: content.best?.epoch)
        condition.lock()
        (self.outcome, isBusy, readsBest) = (outcome, false, false)
        condition.broadcast()
        condition.unlock()
    }

    /// How the last save ended, if it has ended and nobody was told.
    func takeOutcome() -> Outcome? {
        condition.lock()
        defer { condition.unlock() }
        defer { outcome = nil }
        return outcome
    }

    /// Waits for the running save, if there is one.
    func wait() {
        condition.lock()
        while isBusy { condition.wait() }
        condition.unlock()
    }

    /// Waits until no save reads the best weights, so that they may change. Few epochs are so short that there is one.
    func waitForBest() {
        condition.lock()
        while readsBest { condition.wait() }
        condition.unlock()
    }

    /// Saves on this thread, without a copy, when the running save has ended.
    func save(_ tensors: [BorrowedTensor], _ content: Content) -> Outcome {
        wait()
        metrics.add(content.lines)
        return Outcome(
            position: content.position, metadata: content.metadata, error: write(tensors, content), bestEpoch: content.best?.epoch)
    }

    /// Brings lines to the metrics although no checkpoint goes with them.
    func flush(_ lines: [String]) throws(CheckpointError) {
        wait()
        metrics.add(lines)
        try metrics.flush()
    }

    private func write(_ tensors: [BorrowedTensor], _ content: Content) -> CheckpointError? {
        do throws(CheckpointError) {
            // First, so that a checkpoint has the lines of all of its epochs.
            try metrics.flush()
            try generations.save(tensors, metadata: content.metadata, companion: content.best?.companion)
            return nil
        } catch {
            return error
        }
    }
}
