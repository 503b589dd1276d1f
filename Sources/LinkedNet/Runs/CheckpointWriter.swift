import Foundation

/// Writes the checkpoints of a run in training: one save at a time, on a thread of its own, from a copy of the tensors,
/// so that no step waits for a disk.
///
/// Why `@unchecked Sendable` holds: `isBusy`, `readsBest` and `outcome` are used only with `condition` locked.
/// Everything else belongs to the caller while `isBusy` is false, and to the saving thread from the thread's start
/// until the thread sets `isBusy` to false. The lock orders both.
final class CheckpointWriter: @unchecked Sendable {
    /// The content of a save besides tensors.
    struct Content: Sendable {
        let position: TrainingPosition
        let metadata: [String: String]
        /// The lines of the metrics since the previous save.
        let lines: [String]
        /// The best weights, if no save has taken them yet.
        var best: BestWeights?
    }

    /// The result of a save.
    struct Outcome {
        let position: TrainingPosition
        let metadata: [String: String]
        let error: CheckpointError?
        /// The epoch of the best weights in the save; `nil` for a save without best weights.
        let bestEpoch: Int?
    }

    /// False if the directory's file system can't synchronise directories. A power failure may then undo a save's
    /// changes of names.
    let namesLast: Bool

    private let condition = NSCondition()
    private var isBusy = false
    /// True if the running save reads the best weights.
    private var readsBest = false
    private var outcome: Outcome?
    private let generations: Generations
    private let metrics: LineFile
    private let memory: AlignedStorage<Float>
    /// The places in `memory` for the copies of the tensors.
    private let copies: [BorrowedTensor]
    /// Calls a body on a new thread; false if the system gives no thread.
    private let startThread: (@escaping @Sendable () -> Void) -> Bool

    /// - Parameters:
    ///   - tensors: tensors with the names and shapes of the tensors that will be saved.
    ///   - startThread: calls a body on a new thread; false if the system gives no thread.
    /// - Throws: ``OutOfMemory`` if the system has no memory for a copy of the tensors, ``CheckpointError`` if the
    ///   directory can't be brought to the disk.
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

    /// Begins a save. No other save may be running.
    ///
    /// - Parameter tensors: the tensors to save. The caller may change the tensors again after the call.
    func begin(_ tensors: [BorrowedTensor], _ content: Content) {
        condition.lock()
        precondition(!isBusy, "one save at a time")
        (isBusy, readsBest) = (true, content.best != nil)
        condition.unlock()
        BorrowedTensor.copy(tensors, to: copies)
        metrics.add(content.lines)
        // If the system gives no thread, the step waits for the disk.
        if !startThread({ self.finish(content) }) { finish(content) }
    }

    private func finish(_ content: Content) {
        let outcome = Outcome(
            position: content.position, metadata: content.metadata, error: write(copies, content),
            bestEpoch: content.best?.epoch)
        condition.lock()
        (self.outcome, isBusy, readsBest) = (outcome, false, false)
        condition.broadcast()
        condition.unlock()
    }

    /// The result of the last save, if the save has ended. Each result is given once.
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

    /// Waits until no save reads the best weights, so that the weights may change. A wait is rare: an epoch is seldom
    /// shorter than a save.
    func waitForBest() {
        condition.lock()
        while readsBest { condition.wait() }
        condition.unlock()
    }

    /// Saves on this thread, without a copy, after the running save has ended.
    func save(_ tensors: [BorrowedTensor], _ content: Content) -> Outcome {
        wait()
        metrics.add(content.lines)
        return Outcome(
            position: content.position, metadata: content.metadata, error: write(tensors, content),
            bestEpoch: content.best?.epoch)
    }

    /// Brings lines to the metrics without a checkpoint.
    func flush(_ lines: [String]) throws(CheckpointError) {
        wait()
        metrics.add(lines)
        try metrics.flush()
    }

    private func write(_ tensors: [BorrowedTensor], _ content: Content) -> CheckpointError? {
        do throws(CheckpointError) {
            // The metrics come first, so that a checkpoint has the lines of all epochs before the checkpoint.
            try metrics.flush()
            try generations.save(tensors, metadata: content.metadata, companion: content.best?.companion)
            return nil
        } catch {
            return error
        }
    }
}
