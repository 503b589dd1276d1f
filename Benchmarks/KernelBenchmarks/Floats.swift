import LinkedNet

/// Memory as networks have it, in large pages where the system gives them, with numbers of −1 … 1 from a linear
/// congruential generator.
final class Floats {
    private let storage: AlignedStorage<Float>

    var pointer: UnsafeMutablePointer<Float> { storage.pointer }
    var count: Int { storage.count }

    init(_ count: Int) {
        // Without memory there is nothing to measure.
        storage = try! AlignedStorage(count: count)
        var state: UInt32 = 1
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            pointer[index] = Float(Int32(bitPattern: state)) / Float(Int32.max)
        }
    }

    /// Scratch of so many bytes.
    convenience init(bytes: Int) {
        self.init(bytes / 4 + 1)
    }

    /// The same memory, byte by byte.
    var bytes: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt8.self)
    }
}
