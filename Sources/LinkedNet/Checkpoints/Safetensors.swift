/// Writes files in the safetensors format (github.com/huggingface/safetensors), which PyTorch, Keras and others read.
///
/// A file is the length of a header as 8 bytes, little-endian; the header, a JSON object that says for every tensor its
/// type, its shape and where its bytes are; and the tensors' bytes. ``SafetensorsFile`` reads them.
public enum Safetensors {
    /// The longest header that the format allows, in bytes.
    static let longestHeader = 100_000_000
    /// The most tensors, and the most texts, that a file may have here: each of them takes much more memory than a
    /// header needs to name it.
    static let mostEntries = 1 << 16
    /// The most dimensions.
    static let highestRank = 32

    /// Writes tensors to a file, durably: see ``DurableFile/replace(_:contents:)``. The elements are not copied.
    ///
    /// The same arguments give the same bytes. The first element lies at a multiple of 64 bytes in the file.
    ///
    /// - Parameters:
    ///   - tensors: in the order in which they are to lie in the file.
    ///   - metadata: texts to be kept with them.
    ///   - path: the file to make or to replace.
    /// - Throws: ``CheckpointError`` for a name that occurs twice or is reserved, a shape that doesn't fit its
    ///   elements, a header that would be too long, a text that would pass for the file's checksum, and whatever the
    ///   disk refuses.
    public static func write(
        _ tensors: [BorrowedTensor], metadata: [String: String] = [:], to path: String
    ) throws(CheckpointError) {
        // The file would be taken for damaged.
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

    /// Writes a file whose header carries a checksum of all of its bytes:
    /// ``SafetensorsFile/verifyChecksum(isRequired:)``.
    static func writeChecked(
        _ tensors: [BorrowedTensor], metadata: [String: String], to path: String, on disk: any Disk
    ) throws(CheckpointError) {
        var leftovers = Leftovers()
        try writeChecked(tensors, metadata: metadata, to: path, on: disk, leftovers: &leftovers)
    }

    /// As ``writeChecked(_:metadata:to:on:)``.
    ///
    /// - Parameter leftovers: gets the temporary file if it can't be removed.
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
