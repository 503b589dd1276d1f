/// The checksum that a safetensors file can carry in the metadata: the SHA-256 of all bytes of the file, with zeros in
/// the place of the checksum.
enum Checksum {
    static let key = "linkednet.checksum"
    /// Zeros of the length of a checksum: 64 hexadecimal digits.
    static let zeros = String(repeating: "0", count: 64)

    /// Replaces the zeros in a file's header by the checksum of header and tensors.
    static func fill(_ header: inout [UInt8], followedBy tensors: [UnsafeRawBufferPointer]) {
        guard let range = range(in: header) else { return }
        var hash = SHA256()
        hash.update(header)
        for tensor in tensors { hash.update(tensor) }
        header.replaceSubrange(range, with: hash.finalize().utf8)
    }

    /// The place of the checksum's digits in a header. The label in front of the digits, with the brace or comma before
    /// the label, can't occur in any other place: quotation marks inside JSON strings have a backslash before the mark.
    fileprivate static func range(in header: [UInt8]) -> Range<Int>? {
        let labels = ["{", ","].map { Array("\($0)\"\(key)\":\"".utf8) }
        return labels.lazy.compactMap { header.firstRange(of: $0) }.first.flatMap { label in
            let range = label.upperBound..<label.upperBound + zeros.utf8.count
            return range.upperBound <= header.count ? range : nil
        }
    }
}

extension SafetensorsFile {
    /// Reads the whole file and compares the bytes with the file's checksum.
    ///
    /// - Parameter isRequired: false to accept a file without a checksum.
    /// - Throws: ``CheckpointError`` if the file is damaged or can't be read.
    func verifyChecksum(isRequired: Bool) throws(CheckpointError) {
        guard let expected = metadata[Checksum.key] else {
            guard isRequired else { return }
            throw .content(path: path, offset: nil, expected: "a file with a checksum", found: "none: it is damaged")
        }
        var header = try file.bytes(at: 0, count: entries.first?.offset ?? file.size)
        if let range = Checksum.range(in: header) { header.replaceSubrange(range, with: Checksum.zeros.utf8) }
        var hash = SHA256()
        hash.update(header)
        var position = header.count
        while position < file.size {
            let bytes = try file.bytes(at: position, count: min(1 << 20, file.size - position))
            hash.update(bytes)
            position += bytes.count
        }
        let found = hash.finalize()
        guard found == expected else {
            throw .content(
                path: path, offset: nil,
                expected: "bytes with the checksum \(expected.prefix(8))…, which it was written with",
                found: "\(found.prefix(8))…: it is damaged")
        }
    }
}
