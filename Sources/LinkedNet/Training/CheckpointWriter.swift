import Foundation

/// Writes a run's checkpoints while it trains: one at a time, on a thread of its own, from a copy, so that no step waits for a disk.
///
/// Why `@unchecked Sendable` holds: `isBusy` and `outcome` are touched with `condition` locked only. Everything else is the caller's while `isBusy` is
/// false, and the thread's from its start until it sets that; the lock orders both.
final class CheckpointWriter: @unchecked Sendable {
    /// What a save is to keep besides tensors.
    struct Content {
        let position: TrainingPosition
        let metadata: [String: String]
        /// The lines of the metrics since the save before.
        let lines: [String]
    }

    /// How a save ended.
    struct Outcome {
        let position: TrainingPosition
        let error: CheckpointError?
    }

    private let condition = NSCondition()
    private var isBusy = false
    private var outcome: Outcome?
    private let generations: Generations
    private let metrics: LineFile
    private let memory: AlignedStorage<Float>
    /// The tensors as they are copied to `memory`.
    private let copies: [BorrowedTensor]

    /// - Parameter tensors: like those that will be saved.
    /// - Throws: ``OutOfMemory`` if there is none for a copy of them, ``CheckpointError`` if the directory can't be brought to the disk.
    init(_ generations: Generations, metrics: LineFile, tensors: [BorrowedTensor]) throws {
        try generations.settle()
        self.generations = generations
        self.metrics = metrics
        memory = try AlignedStorage(count: tensors.reduce(0) { $0 + $1.elements.count })
        var copies: [BorrowedTensor] = []
        var end = 0
        for tensor in tensors {
            let range = end..<end + tensor.elements.count
            copies.append(
                BorrowedTensor(
                    name: tensor.name, shape: tensor.shape, elements: UnsafeMutableBufferPointer(rebasing: memory.buffer[range])))
            end = range.upperBound
        }
        self.copies = copies
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
        isBusy = true
        condition.unlock()
        for (tensor, copy) in zip(tensors, copies) {
            _ = UnsafeMutableBufferPointer(mutating: copy.elements).update(fromContentsOf: tensor.elements)
        }
        metrics.add(content.lines)
        let thread = Thread {
            let outcome = Outcome(position: content.position, error: self.write(self.copies, content))
            self.condition.lock()
            (self.outcome, self.isBusy) = (outcome, false)
            self.condition.broadcast()
            self.condition.unlock()
        }
        thread.name = "LinkedNet checkpoint"
        thread.start()
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

    /// Saves on this thread, without a copy, when the running save has ended.
    func save(_ tensors: [BorrowedTensor], _ content: Content) -> Outcome {
        wait()
        metrics.add(content.lines)
        return Outcome(position: content.position, error: write(tensors, content))
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
            try generations.save(tensors, metadata: content.metadata)
            return nil
        } catch {
            return error
        }
    }
}
