#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Memory of a fixed number of elements, aligned for any vector, that starts as zeros and is given back with the
/// object.
///
/// Not thread-safe by itself: who shares it orders the accesses.
public final class AlignedStorage<Element: BitwiseCopyable> {
    /// 64 bytes: a cache line, and the widest vector.
    public static var alignment: Int { 64 }

    /// All elements.
    public let buffer: UnsafeMutableBufferPointer<Element>

    /// The first element.
    public var pointer: UnsafeMutablePointer<Element> { buffer.baseAddress.unsafelyUnwrapped }

    /// The number of elements.
    public var count: Int { buffer.count }

    /// Memory for `count` elements, all bytes zero. Pages never touched take no physical memory.
    ///
    /// - Throws: ``OutOfMemory`` if the system has none.
    public init(count: Int) throws(OutOfMemory) {
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        let padded = (bytes &+ Self.alignment &- 1) / Self.alignment * Self.alignment
        var raw: UnsafeMutableRawPointer?
        // A fresh mapping is zero and is backed page by page on first touch, which calloc does for large blocks only.
        if !overflow, padded >= bytes {
            let mapping = mmap(nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if mapping != MAP_FAILED { raw = mapping }
        }
        guard let raw else { throw OutOfMemory(bytes: overflow ? .max : bytes) }
        mappedBytes = padded
        // Large pages save a good part of the address translation in kernels that walk tens of megabytes; a refusal
        // costs nothing.
        if padded >= 4 << 20 { _ = madvise(raw, padded, Self.adviseHugePages) }
        buffer = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Element.self, capacity: count), count: count)
    }

    private let mappedBytes: Int

    /// MADV_HUGEPAGE of Linux.
    private static var adviseHugePages: Int32 { 14 }

    deinit {
        munmap(buffer.baseAddress, mappedBytes)
    }
}

/// The system refused memory.
public struct OutOfMemory: Error, Equatable, CustomStringConvertible {
    /// How much was asked for.
    public let bytes: Int

    public var description: String { "out of memory: \(bytes) bytes were asked for" }

    /// True if the system has no room for so many elements. An array that it refuses ends the process; a mapping says
    /// so. Small sizes pass unasked.
    static func awaits<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type) -> Bool {
        count > 1 << 24 && (try? AlignedStorage<Element>(count: count)) == nil
    }
}
