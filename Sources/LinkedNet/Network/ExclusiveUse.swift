import Synchronization

/// Tells a second caller from a first that isn't done: memory that one caller at a time may use.
final class ExclusiveUse {
    private let isTaken = Atomic(false)

    /// Takes the memory until ``end()``. Ends the process with a sentence if another caller has it.
    func begin() {
        guard isTaken.exchange(true, ordering: .acquiring) else { return }
        // Not a failed precondition, for optimised builds end without its sentence.
        fatalError(
            """
            a network computes for one caller at a time: a second one came while a pass or a training step was \
            running. Give each task a network of its own, or let the tasks take turns.
            """)
    }

    func end() { isTaken.store(false, ordering: .releasing) }
}
