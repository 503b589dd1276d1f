/// The parts in which a batch is taken.
struct MicroBatches {
    let samples: Int
    /// The number of samples of a part; the last may have fewer.
    let size: Int

    var count: Int { (samples + size - 1) / size }

    /// The samples of a part.
    subscript(part: Int) -> Range<Int> { part * size..<min((part + 1) * size, samples) }
}
