/// Class names of a text file, one name on each line.
enum ClassNames {
    /// The names in `path`, or `standard` if there is no such file.
    ///
    /// - Throws: ``DataError`` if there are more or fewer names than in `standard`.
    static func read(_ path: String, standard: [String]) throws(DataError) -> [String] {
        guard RegularFile.exists(path) else { return standard }
        return try read(RegularFile(path, expectation: "a file of \(expectation(standard))"), standard: standard)
    }

    /// As ``read(_:standard:)-(String,_)``, from an open file.
    static func read(_ file: any ByteStream, standard: [String]) throws(DataError) -> [String] {
        let (path, size, expectation) = (file.path, file.largestContent, expectation(standard))
        guard size <= 64 << 10 else {
            throw DataError(path: path, expected: expectation, found: "\(size) bytes")
        }
        let names = String(decoding: try file.read(size), as: UTF8.self)
            .split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.map(String.init)
        guard names.count == standard.count else {
            throw DataError(path: path, expected: expectation, found: "\(names.count) names")
        }
        return names
    }

    private static func expectation(_ standard: [String]) -> String { "\(standard.count) class names, one a line" }
}
