/// The memory of a compiled network.
public struct MemoryUse: Sendable, Hashable {
    /// Parameters; the gradients take the same size again, and each slot of the optimizer, too.
    public let parameterBytes: Int
    /// States such as running statistics.
    public let stateBytes: Int
    /// The arena of all intermediate values and gradients. Where passes run at once, the arenas of all passes, and the
    /// parameters' gradients of all passes after the first.
    public let arenaBytes: Int
    /// The arena's size if no two buffers shared memory.
    public let unsharedArenaBytes: Int
    /// The largest operation's scratch, once for each pass that runs at once. Pages that no thread touches take no
    /// physical memory.
    public let scratchBytes: Int
}
