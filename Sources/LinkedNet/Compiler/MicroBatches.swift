/// The micro-batches of a batch.
struct MicroBatches {
    let samples: Int
    /// The number of samples of a micro-batch; the last micro-batch may have fewer.
    let size: Int

    var count: Int { (samples + size - 1) / size }

    /// The samples of a micro-batch.
    subscript(part: Int) -> Range<Int> { part * size..<min((part + 1) * size, samples) }
}
