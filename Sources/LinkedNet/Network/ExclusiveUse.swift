import Synchronization

/// Guards memory that one caller at a time may use: detects a second caller while the first isn't done.
final class ExclusiveUse {
    private let isTaken = Atomic(false)

    /// Takes the memory until ``end()``. Ends the process with a message if another caller has the memory.
    func begin() {
        guard isTaken.exchange(true, ordering: .acquiring) else { return }
        // Not a failed precondition, because optimised builds end without the precondition's message.
        fatalError(
            """
            a network computes for one caller at a time: a second one came while a pass or a training step was \
            running. Give each task a network of its own, or let the tasks take turns.
            """)
    }

    func end() { isTaken.store(false, ordering: .releasing) }
}
