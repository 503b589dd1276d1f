/// Data that can't be used: a file that isn't there or isn't what it should be, a label out of range.
public struct DataError: Error, Equatable, CustomStringConvertible {
    /// The file or directory; the data set's name where there is no file.
    public let path: String
    /// Where in the file, in bytes from its start (of the unpacked content for gzip); nil if it concerns the whole.
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
