/// A fingerprint of weights: two networks have the same fingerprint exactly if all weights have the same bits.
///
/// The fingerprint is the SHA-256 of all elements as little-endian 32-bit floats, the arrays in the order of the UTF-8
/// bytes of the weights' names. Names and shapes themselves are not part of the fingerprint.
public enum WeightsDigest {
    /// The digest of some tensors, as 64 hexadecimal digits. The order of the tensors doesn't matter.
    public static func sha256(of tensors: [BorrowedTensor]) -> String {
        var hash = SHA256()
        for tensor in tensors.sorted(by: { precedes($0.name, $1.name) }) {
            hash.update(UnsafeRawBufferPointer(tensor.elements))
        }
        return hash.finalize()
    }

    /// The digest of the tensors in a file, as 64 hexadecimal digits. Holds one tensor in memory at a time.
    ///
    /// - Parameters:
    ///   - file: the open file.
    ///   - isIncluded: tells from the name whether a tensor belongs to the weights.
    /// - Throws: ``CheckpointError`` if the disk fails.
    public static func sha256(
        of file: SafetensorsFile, where isIncluded: (String) -> Bool = { _ in true }
    ) throws(CheckpointError) -> String {
        var hash = SHA256()
        for name in file.entries.map(\.name).filter(isIncluded)
            .sorted(by: { precedes(CheckpointName.weight($0), CheckpointName.weight($1)) })
        {
            let tensor = try file.tensor(named: name)
            tensor.elements.withUnsafeBytes { hash.update($0) }
        }
        return hash.finalize()
    }

    private static func precedes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }
}
