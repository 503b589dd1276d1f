import Testing

/// The parent of every kernel suite. The instruction set and the number of threads are global, so nothing below runs
/// concurrently.
@Suite(.serialized) struct KernelTests {}
