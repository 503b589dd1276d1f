/// The passes that take so many samples.
struct PassRanges {
    let samples: Int
    let passSize: Int

    var count: Int { (samples + passSize - 1) / passSize }

    /// The samples of a pass.
    subscript(pass: Int) -> Range<Int> { pass * passSize..<min((pass + 1) * passSize, samples) }
}
