/// Data that can't be used: a missing file, a file with content that wasn't expected, a label out of range.
public struct DataError: Error, Equatable, CustomStringConvertible {
    /// The file or directory; the data set's name where there is no file.
    public let path: String
    /// The place in the file, in bytes from the start of the file (for gzip, of the unpacked content); nil if the error
    /// concerns the whole file.
    public let offset: Int?
    /// The content that would have been right.
    public let expected: String
    /// The content that was found.
    public let found: String

    /// An error about `path`.
    public init(path: String, offset: Int? = nil, expected: String, found: String) {
        self.path = path
        self.offset = offset
        self.expected = expected
        self.found = found
    }

    public var description: String {
        let place = offset.map { " at byte \($0)" } ?? ""
        return "\(path.printable())\(place): expected \(expected.printable()), found \(found.printable())"
    }
}
