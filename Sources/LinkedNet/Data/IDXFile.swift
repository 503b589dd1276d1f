/// A file of the IDX format (Y. LeCun, MNIST): a magic number, the sizes of the dimensions, then a byte for each
/// element. Numbers are big-endian and have 32 bits. A file whose name ends in `.gz` is unpacked. Offsets in errors are
/// then in the unpacked content, except for a packed file that is too small for its sizes.
struct IDXFile {
    let path: String
    /// The size of each dimension, outermost first.
    let sizes: [Int]
    let content: [UInt8]

    /// The number of bytes before the content.
    static func headerSize(dimensions: Int) -> Int { 4 + 4 * dimensions }

    /// Reads a file of unsigned bytes with this many dimensions.
    ///
    /// - Parameter what: a name of the content for errors, for example "images".
    init(_ path: String, dimensions: Int, what: String) throws(DataError) {
        try self.init(RegularFile(path, expectation: "an IDX file of \(what)"), dimensions: dimensions, what: what)
    }

    /// As ``init(_:dimensions:what:)-(String,_,_)``, from an open file.
    init(_ file: any ByteStream, dimensions: Int, what: String) throws(DataError) {
        let path = file.path
        guard file.largestContent > 0 else {
            throw DataError(path: path, offset: 0, expected: "an IDX file of \(what)", found: "an empty file")
        }
        let stream: any ByteStream = path.hasSuffix(".gz") ? try GzipStream(file) : file
        let header = try Self.header(of: stream, dimensions: dimensions, what: what)
        let headerSize = Self.headerSize(dimensions: dimensions)
        var contentSize = 1
        for extent in header {
            let (product, overflow) = contentSize.multipliedReportingOverflow(by: extent)
            contentSize = overflow ? .max : product
        }
        let size = headerSize + min(contentSize, .max - headerSize)
        let expectation = "\(size) bytes for \(header.map(String.init).joined(separator: "×")) \(what)"
        // Content that can't exist gets no memory: a few bytes of header could ask for all memory.
        guard size <= stream.largestContent else {
            throw DataError(
                path: path, offset: file.largestContent, expected: expectation,
                found: "a file of \(file.largestContent) bytes")
        }
        content = try stream.read(size - headerSize)
        guard content.count == size - headerSize else {
            let found = headerSize + content.count
            throw DataError(path: path, offset: found, expected: expectation, found: "\(found) bytes")
        }
        guard try stream.read(1).isEmpty else {
            throw DataError(path: path, offset: size, expected: expectation, found: "more bytes")
        }
        self.path = path
        sizes = header
    }

    /// The checked sizes of the dimensions.
    private static func header(
        of stream: any ByteStream, dimensions: Int, what: String
    ) throws(DataError) -> [Int] {
        let size = headerSize(dimensions: dimensions)
        let bytes = try stream.read(size)
        let numbers = stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
            bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        // 8 stands for unsigned bytes; the last byte is the number of dimensions.
        let magic = 8 << 8 | dimensions
        guard let first = numbers.first, first == magic || bytes.count == size else {
            throw DataError(
                path: stream.path, offset: bytes.count, expected: "a header of \(size) bytes for \(what)",
                found: "\(bytes.count) bytes")
        }
        guard first == magic else {
            throw DataError(
                path: stream.path, offset: 0, expected: "the magic number \(hexadecimal(magic)) of \(what)",
                found: hexadecimal(first))
        }
        guard bytes.count == size else {
            throw DataError(
                path: stream.path, offset: bytes.count, expected: "a header of \(size) bytes for \(what)",
                found: "\(bytes.count) bytes")
        }
        for (index, extent) in numbers.enumerated().dropFirst() where extent == 0 {
            throw DataError(
                path: stream.path, offset: 4 * index, expected: "a size of at least 1 in dimension \(index)", found: "0"
            )
        }
        return Array(numbers.dropFirst())
    }

    private static func hexadecimal(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: max(8 - digits.count, 0)) + digits
    }
}
