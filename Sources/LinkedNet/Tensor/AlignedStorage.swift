#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Memory of a fixed number of elements, aligned for any vector. The memory starts as zeros and is freed with the
/// object.
///
/// The storage is not thread-safe: callers that share the storage order their accesses.
final class AlignedStorage<Element: BitwiseCopyable> {
    /// 64 bytes: a cache line, and the widest vector.
    static var alignment: Int { 64 }

    /// All elements.
    let buffer: UnsafeMutableBufferPointer<Element>

    /// The first element.
    var pointer: UnsafeMutablePointer<Element> { buffer.baseAddress.unsafelyUnwrapped }

    /// The number of elements.
    var count: Int { buffer.count }

    /// Memory for `count` elements, all bytes zero. Untouched pages take no physical memory.
    ///
    /// - Throws: ``OutOfMemory`` if the system has no memory.
    init(count: Int) throws(OutOfMemory) {
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        let padded = (bytes &+ Self.alignment &- 1) / Self.alignment * Self.alignment
        var raw: UnsafeMutableRawPointer?
        // A fresh mapping is zero, and the system backs each page on the first touch. calloc does so for large blocks
        // only.
        if !overflow, padded >= bytes {
            let mapping = mmap(nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if mapping != MAP_FAILED { raw = mapping }
        }
        guard let raw else { throw OutOfMemory(bytes: overflow ? .max : bytes) }
        mappedBytes = padded
        // Large pages save much of the address translation in kernels that walk tens of megabytes. A refusal costs
        // nothing.
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
    /// The size of the request.
    public let bytes: Int

    public var description: String { "out of memory: \(bytes) bytes were asked for" }

    /// True if the system has no room for so many elements. A refused array ends the process, but a refused mapping is
    /// only an error. Small sizes are not checked.
    static func awaits<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type) -> Bool {
        count > 1 << 24 && (try? AlignedStorage<Element>(count: count)) == nil
    }
}
