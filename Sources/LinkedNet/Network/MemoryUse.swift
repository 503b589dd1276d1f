/// How much memory a compiled network holds.
public struct MemoryUse: Sendable, Hashable {
    /// Parameters; gradients take as much again, and so does each slot of the optimizer.
    public let parameterBytes: Int
    /// States such as running statistics.
    public let stateBytes: Int
    /// The arena of all intermediate values and gradients; where passes run at once, of all together, with the
    /// gradients that the later ones compute.
    public let arenaBytes: Int
    /// What the arena would take if no two buffers shared memory.
    public let unsharedArenaBytes: Int
    /// The largest operation's scratch, once for each pass that runs at once. Pages that no thread touches take no
    /// physical memory.
    public let scratchBytes: Int
}
