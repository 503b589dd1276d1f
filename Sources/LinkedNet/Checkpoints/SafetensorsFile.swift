#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A safetensors file of 32-bit floats, open for reading: its header in memory, its tensors on the disk until they are
/// asked for.
///
/// Opening checks everything that can be wrong with the file except the elements themselves: after that, only the disk
/// can make reading fail.
public final class SafetensorsFile {
    /// As given.
    public let path: String
    /// The texts kept with the tensors.
    public let metadata: [String: String]
    /// The tensors, in the order in which they lie in the file.
    public let entries: [Entry]

    let file: DiskFile
    private let indices: [String: Int]

    /// What the header says about a tensor.
    public struct Entry: Sendable, Equatable {
        /// Unique in the file.
        public let name: String
        /// The sizes of the dimensions.
        public let shape: Shape
        /// Where its first byte lies in the file.
        let offset: Int
    }

    /// Opens the file at `path`.
    ///
    /// - Throws: ``CheckpointError`` if it can't be read, isn't a regular file, or isn't by the rules of the format;
    ///   also for tensors that aren't 32-bit floats or have no elements, which this library can't hold.
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
        indices = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
    }

    /// What the header says about the tensor called `name`, or `nil` if there is none.
    public subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

    /// Reads the tensor called `name` into memory of the caller's.
    ///
    /// - Parameter elements: as many as the tensor has. Undefined after a failure of the disk.
    /// - Throws: ``CheckpointError`` if there is no such tensor, it has another number of elements, or the disk fails.
    public func read(
        _ name: String, into elements: UnsafeMutableBufferPointer<Float>
    ) throws(CheckpointError) {
        let entry = try find(name)
        guard elements.count == entry.shape.elementCount else {
            throw .content(
                path: path, offset: entry.offset, expected: "\(elements.count) elements in tensor \(name)",
                found: "\(entry.shape.elementCount) (shape \(entry.shape))")
        }
        try file.read(at: entry.offset, into: UnsafeMutableRawBufferPointer(elements))
    }

    /// Reads the tensor called `name`.
    ///
    /// - Throws: ``CheckpointError`` if there is no such tensor or the disk fails.
    public func tensor(named name: String) throws(CheckpointError) -> Tensor {
        let entry = try find(name)
        if OutOfMemory.awaits(entry.shape.elementCount, of: Float.self) {
            throw .system(operation: .read, path: path, code: ENOMEM)
        }
        // The header was checked: the shape is valid, and as many bytes as it needs are in the file.
        guard var tensor = try? Tensor(shape: entry.shape) else {
            throw .content(
                path: path, offset: nil, expected: "a valid shape for tensor \(name)", found: "\(entry.shape)")
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
