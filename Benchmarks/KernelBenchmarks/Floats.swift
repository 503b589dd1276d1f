import Glibc

/// Memory as networks have it, in large pages where the system gives them, with numbers of −1 … 1 from a linear
/// congruential generator.
final class Floats {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.pageSize)
        if bytes >= Self.pageSize { madvise(memory, bytes, Self.adviseHugePages) }
        pointer = memory.bindMemory(to: Float.self, capacity: count)
        var state: UInt32 = 1
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            (pointer + index).initialize(to: Float(Int32(bitPattern: state)) / Float(Int32.max))
        }
    }

    /// Scratch of so many bytes.
    convenience init(bytes: Int) {
        self.init(bytes / 4 + 1)
    }

    deinit {
        pointer.deallocate()
    }

    /// The same memory, byte by byte.
    var bytes: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt8.self)
    }

    /// A large page.
    private static let pageSize = 2 << 20
    /// MADV_HUGEPAGE of Linux.
    private static let adviseHugePages: Int32 = 14
}
