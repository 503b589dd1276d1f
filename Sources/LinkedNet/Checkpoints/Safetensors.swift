/// Writes files in the safetensors format (github.com/huggingface/safetensors), which PyTorch, Keras and others read.
///
/// A file has three parts: the length of the header as 8 bytes, little-endian; the header; the tensors' bytes. The
/// header is a JSON object with the type, the shape and the place of each tensor. ``SafetensorsFile`` reads such files.
public enum Safetensors {
    /// The longest header that the format allows, in bytes.
    static let longestHeader = 100_000_000
    /// The largest number of tensors, and of texts, that this library accepts in a file: in memory, a tensor or a text
    /// takes much more room than in the header.
    static let mostEntries = 1 << 16
    /// The largest number of dimensions.
    static let highestRank = 32

    /// Writes tensors to a file, durably: see ``DurableFile/replace(_:contents:)``. The elements are not copied.
    ///
    /// The same arguments give the same bytes. The first element lies at a multiple of 64 bytes in the file.
    ///
    /// - Parameters:
    ///   - tensors: the tensors, in the order of the file.
    ///   - metadata: texts that the file keeps with the tensors.
    ///   - path: the file to make or to replace.
    /// - Throws: ``CheckpointError`` for a name that occurs twice or is reserved, a shape that doesn't fit the
    ///   elements, a header that would be too long, a text under the key of the file's checksum, and every failure of
    ///   the disk.
    public static func write(
        _ tensors: [BorrowedTensor], metadata: [String: String] = [:], to path: String
    ) throws(CheckpointError) {
        // A reader would take the text for the checksum, and the file for damaged.
        guard metadata[Checksum.key] == nil else {
            throw .content(
                path: path, offset: nil, expected: "texts without \(Checksum.key), which belongs to another file",
                found: "one under this key")
        }
        try write(tensors, metadata: metadata, to: path, on: SystemDisk())
    }

    static func write(
        _ tensors: [BorrowedTensor], metadata: [String: String], to path: String, on disk: any Disk
    ) throws(CheckpointError) {
        var leftovers = Leftovers()
        try write(
            SafetensorsHeader.encode(tensors, metadata: metadata, path: path), tensors, to: path, on: disk,
            leftovers: &leftovers)
    }

    /// Writes a file whose header carries a checksum of all bytes of the file:
    /// ``SafetensorsFile/verifyChecksum(isRequired:)``.
    static func writeChecked(
        _ tensors: [BorrowedTensor], metadata: [String: String], to path: String, on disk: any Disk
    ) throws(CheckpointError) {
        var leftovers = Leftovers()
        try writeChecked(tensors, metadata: metadata, to: path, on: disk, leftovers: &leftovers)
    }

    /// As ``writeChecked(_:metadata:to:on:)``.
    ///
    /// - Parameter leftovers: gets the temporary file if the file can't be removed.
    static func writeChecked(
        _ tensors: [BorrowedTensor], metadata: [String: String], to path: String, on disk: any Disk,
        leftovers: inout Leftovers
    ) throws(CheckpointError) {
        let metadata = metadata.merging([Checksum.key: Checksum.zeros]) { $1 }
        var header = try SafetensorsHeader.encode(tensors, metadata: metadata, path: path)
        Checksum.fill(&header, followedBy: tensors.map { UnsafeRawBufferPointer($0.elements) })
        try write(header, tensors, to: path, on: disk, leftovers: &leftovers)
    }

    private static func write(
        _ header: [UInt8], _ tensors: [BorrowedTensor], to path: String, on disk: any Disk,
        leftovers: inout Leftovers
    ) throws(CheckpointError) {
        try header.withUnsafeBufferPointer { header throws(CheckpointError) in
            let pieces = [UnsafeRawBufferPointer(header)] + tensors.map { UnsafeRawBufferPointer($0.elements) }
            try DurableFile.replace(path, contents: pieces, on: disk, leftovers: &leftovers)
        }
    }
}

#if _endian(big)
#error(
    "Safetensors files and weights' digests hold little-endian numbers, and are read and written as they lie in memory."
)
#endif
