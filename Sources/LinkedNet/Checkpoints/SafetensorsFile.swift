#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A safetensors file, open for reading: the header is in memory, and a tensor stays on the disk until a caller reads
/// the tensor.
///
/// Opening checks everything in the file except the elements themselves. After that, reading fails only if the disk
/// fails, or if a tensor can't become 32-bit floats: `F32` is read without change, `F64`, `F16` and `BF16` are
/// converted, and tensors of other types may lie in the file.
public final class SafetensorsFile {
    /// The path as given.
    public let path: String
    /// The texts in the file beside the tensors. To Swift, keys that differ only in Unicode normalisation are equal:
    /// the first such key counts.
    public let metadata: [String: String]
    /// The tensors, in the order of the file.
    public let entries: [Entry]

    let file: DiskFile
    private let indices: [ByteName: Int]

    /// The header's entry of a tensor.
    public struct Entry: Sendable, Equatable {
        /// The name, unique in the file byte for byte.
        public let name: String
        /// The type of the elements.
        public let type: ElementType
        /// The sizes of the dimensions; one of them may be 0.
        public let shape: Shape
        /// The offset of the first byte in the file.
        let offset: Int
        /// The size of the elements in bytes.
        let byteCount: Int
    }

    /// Opens the file at `path`.
    ///
    /// - Throws: ``CheckpointError`` if the file can't be read, isn't a regular file, or breaks the rules of the
    ///   format.
    public convenience init(_ path: String) throws(CheckpointError) {
        try self.init(path, on: SystemDisk())
    }

    init(_ path: String, on disk: any Disk) throws(CheckpointError) {
        let file = try DiskFile(path, expectation: "a safetensors file", disk: disk)
        let header = try SafetensorsHeader(file)
        self.path = path
        self.file = file
        metadata = header.metadata
        entries = header.entries
        indices = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { (ByteName($1.name), $0) })
    }

    /// The header's entry of the tensor called `name`, byte for byte, or `nil` if there is no such tensor.
    public subscript(name: String) -> Entry? { indices[ByteName(name)].map { entries[$0] } }

    /// Reads the tensor called `name` into the caller's memory, as 32-bit floats. Other floats are rounded to the
    /// nearest 32-bit floats.
    ///
    /// - Parameters:
    ///   - name: the tensor's name, byte for byte.
    ///   - elements: memory for exactly the elements of the tensor. Undefined after an error.
    /// - Throws: ``CheckpointError`` if there is no such tensor, the tensor has another number of elements or isn't
    ///   floats (``ElementType/isReadable``), an element is finite but too large for 32 bits, or the disk fails.
    public func read(
        _ name: String, into elements: UnsafeMutableBufferPointer<Float>
    ) throws(CheckpointError) {
        let entry = try find(name)
        guard elements.count == entry.shape.elementCount else {
            throw .content(
                path: path, offset: entry.offset, expected: "\(elements.count) elements in tensor \(name)",
                found: "\(entry.shape.elementCount) (shape \(entry.shape))")
        }
        if try format(of: entry) == .float32 {
            try file.read(at: entry.offset, into: UnsafeMutableRawBufferPointer(elements))
        } else {
            try forEachElement(of: entry) { elements[$0] = $1 }
        }
    }

    /// Throws if ``read(_:into:)`` would throw, except for a disk that fails later. Reads only tensors whose elements
    /// may be too large.
    func checkReadable(_ name: String) throws(CheckpointError) {
        let entry = try find(name)
        if try format(of: entry) == .float64 { try forEachElement(of: entry) { _, _ in } }
    }

    private func format(of entry: Entry) throws(CheckpointError) -> FloatFormat {
        guard let format = entry.type.format else {
            throw .content(
                path: path, offset: entry.offset, expected: "tensor \(entry.name) to be of F32, F64, F16 or BF16",
                found: "\(entry.type)")
        }
        return format
    }

    /// Calls `body` with the index and the value of each element, in order.
    private func forEachElement(of entry: Entry, _ body: (Int, Float) -> Void) throws(CheckpointError) {
        let format = try format(of: entry), size = format.byteCount
        let count = entry.shape.elementCount
        var first = 0
        while first < count {
            let part = min((1 << 20) / size, count - first)
            let bytes = try file.bytes(at: entry.offset + first * size, count: part * size)
            try bytes.withUnsafeBufferPointer { bytes throws(CheckpointError) in
                let bytes = UnsafeRawBufferPointer(bytes)
                for index in 0..<part {
                    guard let element = format.element(index, of: bytes) else {
                        throw .content(
                            path: path, offset: entry.offset + (first + index) * size,
                            expected: "elements of tensor \(entry.name) that 32-bit floats can hold",
                            found: "\(bytes.loadUnaligned(fromByteOffset: index * size, as: Double.self))")
                    }
                    body(first + index, element)
                }
            }
            first += part
        }
    }

    /// Reads the tensor called `name`, as 32-bit floats.
    ///
    /// - Throws: ``CheckpointError`` as ``read(_:into:)`` does; also if the tensor has no elements, because a
    ///   ``Tensor`` has at least one element.
    public func tensor(named name: String) throws(CheckpointError) -> Tensor {
        let entry = try find(name)
        _ = try format(of: entry)
        if OutOfMemory.awaits(entry.shape.elementCount, of: Float.self) {
            throw .system(operation: .read, path: path, code: ENOMEM)
        }
        guard var tensor = try? Tensor(shape: entry.shape) else {
            throw .content(
                path: path, offset: nil, expected: "at least one element in tensor \(name)",
                found: "shape \(entry.shape)")
        }
        try tensor.withUnsafeMutableElements { elements throws(CheckpointError) in try read(name, into: elements) }
        return tensor
    }

    private func find(_ name: String) throws(CheckpointError) -> Entry {
        guard let entry = self[name] else {
            throw .content(path: path, offset: nil, expected: "a tensor called \(name)", found: "none of this name")
        }
        return entry
    }
}
