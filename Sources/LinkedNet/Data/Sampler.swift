/// The order in which an epoch visits the samples. Every sample comes exactly once.
public enum Sampler: String, Hashable, Sendable, CaseIterable {
    /// The order of the data set, the same in every epoch.
    case fileOrder = "file-order"
    /// A new order in every epoch. The order depends on seed and epoch only.
    case shuffled

    /// Writes the order of an epoch into `indices`, the permutation of `0 ..< indices.count`.
    ///
    /// Fisher–Yates; O(count), no allocation.
    func fill(_ indices: UnsafeMutableBufferPointer<Int64>, seed: UInt64, epoch: Int) {
        let count = indices.count
        var index = 0
        while index < count {
            indices[index] = Int64(index)
            index += 1
        }
        guard self == .shuffled else { return }
        var random = CounterRandom(seed: seed, epoch: UInt64(truncatingIfNeeded: epoch), use: .shuffle)
        var last = count - 1
        while last > 0 {
            indices.swapAt(last, Int(random.next(below: UInt64(last + 1))))
            last -= 1
        }
    }

    /// The order of an epoch over `count` samples.
    public func order(count: Int, seed: UInt64, epoch: Int) -> [Int64] {
        Array(unsafeUninitializedCapacity: max(count, 0)) { buffer, initialized in
            fill(UnsafeMutableBufferPointer(rebasing: buffer[..<max(count, 0)]), seed: seed, epoch: epoch)
            initialized = max(count, 0)
        }
    }
}
