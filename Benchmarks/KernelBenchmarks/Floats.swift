/// Aligned memory with numbers of −1 … 1 from a linear congruential generator.
final class Floats {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) {
        self.count = count
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: count)
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

    deinit { pointer.deallocate() }
}
