import Foundation
import LinkedNet
import Testing

@Suite struct IDXTests {
    static func bigEndian(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(number >> $0 & 255) } }

    /// A file of images, numbered pixels.
    static func images(_ count: Int, height: Int = 3, width: Int = 2) -> [UInt8] {
        bigEndian(0x803) + bigEndian(count) + bigEndian(height) + bigEndian(width)
            + (0..<count * height * width).map { UInt8(truncatingIfNeeded: $0) }
    }

    static func labels(_ count: Int) -> [UInt8] {
        bigEndian(0x801) + bigEndian(count) + (0..<count).map { UInt8($0 % 10) }
    }

    private let directory: TemporaryDirectory
    private let imagePath: String
    private let labelPath: String

    init() throws {
        directory = try TemporaryDirectory()
        imagePath = directory.path + "/train-images-idx3-ubyte"
        labelPath = directory.path + "/train-labels-idx1-ubyte"
    }

    private func read(images: [UInt8], labels: [UInt8]) throws -> ImageDataset {
        try directory.write("train-images-idx3-ubyte", images)
        try directory.write("train-labels-idx1-ubyte", labels)
        return try IDX.train(in: directory.path)
    }

    /// Reads files packed with gzip, after `damage` has changed the packed bytes of the images.
    private func readPacked(images: [UInt8], damage: (inout [UInt8]) -> Void = { _ in }) throws -> ImageDataset {
        var packed = try directory.gzip(images)
        damage(&packed)
        try directory.write("train-images-idx3-ubyte.gz", packed)
        try directory.write("train-labels-idx1-ubyte.gz", directory.gzip(Self.labels(2)))
        return try IDX.train(in: directory.path)
    }

    @Test func readsPlainFiles() throws {
        let dataset = try read(images: Self.images(12), labels: Self.labels(12))
        #expect(dataset.imageShape == [3, 2, 1])
        #expect(dataset.pixels == (0..<72).map(UInt8.init))
        #expect(dataset.labels == (0..<12).map { Int32($0 % 10) })
        #expect(dataset.classCount == 10)
    }

    @Test(arguments: ["-idx", ".idx"], ["", ".gz"])
    func readsEverySpelling(separator: String, suffix: String) throws {
        for (split, count) in [("train", 3), ("t10k", 2)] {
            for (what, bytes) in [
                ("images\(separator)3", Self.images(count)), ("labels\(separator)1", Self.labels(count)),
            ] {
                try directory.write(
                    "\(split)-\(what)-ubyte\(suffix)", suffix.isEmpty ? bytes : directory.gzip(bytes))
            }
        }
        #expect(try IDX.train(in: directory.path).count == 3)
        #expect(try IDX.test(in: directory.path).pixels == (0..<12).map(UInt8.init))
    }

    @Test(arguments: [
        (0, 0, "an IDX file of images", "an empty file"),
        (3, 3, "a header of 16 bytes for images", "3 bytes"),
        (15, 15, "a header of 16 bytes for images", "15 bytes"),
        (16, 16, "28 bytes for 2×3×2 images", "a file of 16 bytes"),
        (27, 27, "28 bytes for 2×3×2 images", "a file of 27 bytes"),
    ])
    func truncated(size: Int, offset: Int, expected: String, found: String) throws {
        #expect(throws: DataError(path: imagePath, offset: offset, expected: expected, found: found)) {
            try read(images: Array(Self.images(2).prefix(size)), labels: Self.labels(2))
        }
    }

    @Test func oversized() throws {
        #expect(
            throws: DataError(path: imagePath, offset: 28, expected: "28 bytes for 2×3×2 images", found: "more bytes")
        ) { try read(images: Self.images(2) + [0], labels: Self.labels(2)) }
    }

    @Test func sizesThatNoMemoryHolds() throws {
        let huge = Self.bigEndian(0x803) + [UInt8](repeating: 255, count: 12)
        let expected = "\(Int.max) bytes for 4294967295×4294967295×4294967295 images"
        #expect(throws: DataError(path: imagePath, offset: 16, expected: expected, found: "a file of 16 bytes")) {
            try read(images: huge, labels: Self.labels(2))
        }
    }

    @Test func wrongMagic() throws {
        #expect(
            throws: DataError(
                path: imagePath, offset: 0, expected: "the magic number 0x00000803 of images", found: "0x00000801")
        ) { try read(images: Self.labels(20), labels: Self.labels(2)) }
        #expect(
            throws: DataError(
                path: labelPath, offset: 0, expected: "the magic number 0x00000801 of labels", found: "0x00000803")
        ) { try read(images: Self.images(2), labels: Self.images(2)) }
    }

    @Test(arguments: [1, 2, 3])
    func sizeZero(dimension: Int) throws {
        var bytes = Self.images(2)
        bytes.replaceSubrange(4 * dimension..<4 * dimension + 4, with: [0, 0, 0, 0])
        #expect(
            throws: DataError(
                path: imagePath, offset: 4 * dimension, expected: "a size of at least 1 in dimension \(dimension)",
                found: "0")
        ) { try read(images: bytes, labels: Self.labels(2)) }
    }

    @Test func wrongLabel() throws {
        var labels = Self.labels(5)
        labels[8 + 3] = 10
        #expect(throws: DataError(path: labelPath, offset: 11, expected: "a label of 0 ..< 10", found: "10")) {
            try read(images: Self.images(5), labels: labels)
        }
    }

    @Test func differentCounts() throws {
        #expect(
            throws: DataError(path: imagePath, offset: 4, expected: "3 images, one for each label", found: "2")
        ) { try read(images: Self.images(2), labels: Self.labels(3)) }
    }

    /// Tapes and block devices pad files with zeros, also beyond the size of one read.
    @Test(arguments: [1, 511, 65_536, 200_000])
    func zerosBehindGzipData(count: Int) throws {
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(try readPacked(images: Self.images(2)) { $0 += zeros }.pixels == (0..<12).map(UInt8.init))
        // The second half of the content is a gzip member of its own, behind the zeros.
        let (first, second) = (Array(Self.images(2).prefix(20)), Array(Self.images(2).dropFirst(20)))
        let packed = try directory.gzip(second)
        #expect(try readPacked(images: first) { $0 += zeros + packed + zeros }.pixels == (0..<12).map(UInt8.init))
    }

    @Test(arguments: [[1], [0, 0, 7], [0x50, 0x4B]])
    func otherBytesBehindGzipData(bytes: [UInt8]) throws {
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 28, expected: "zeros or another gzip member behind the gzip data",
                found: "byte \(bytes.first { $0 != 0 } ?? 0)")
        ) { try readPacked(images: Self.images(2)) { $0 += bytes } }
    }

    /// Bytes that begin like a gzip member must be a gzip member.
    @Test func aMemberThatIsNone() throws {
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 28, expected: "gzip data",
                found: "damaged data (incorrect header check)")
        ) { try readPacked(images: Self.images(2)) { $0 += [0x1F, 1, 2, 3] } }
    }

    @Test func gzipThatEndsEarly() throws {
        // The reader checks the trailer, too, so a file that lacks one byte is an error, although all 28 bytes were
        // unpacked.
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 28, expected: "more gzip data", found: "the end of the file")
        ) { try readPacked(images: Self.images(2)) { $0.removeLast() } }
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 0, expected: "more gzip data", found: "the end of the file")
        ) { try readPacked(images: Self.images(2)) { $0.removeLast($0.count - 5) } }
    }

    @Test func gzipThatIsDamaged() throws {
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 28, expected: "gzip data",
                found: "damaged data (incorrect data check)")
        ) { try readPacked(images: Self.images(2)) { $0[$0.count - 8] ^= 1 } }
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 0, expected: "gzip data",
                found: "damaged data (incorrect header check)")
        ) { try readPacked(images: Self.images(2)) { $0 = Self.images(2) } }
    }

    @Test func gzipThatHoldsLess() throws {
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 27, expected: "28 bytes for 2×3×2 images", found: "27 bytes")
        ) { try readPacked(images: Self.images(2).dropLast()) }
    }

    @Test func gzipBombIsNotUnpacked() throws {
        let bomb = Self.images(2) + [UInt8](repeating: 0, count: 20_000_000)
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: 28, expected: "28 bytes for 2×3×2 images", found: "more bytes")
        ) { try readPacked(images: bomb) }
    }

    @Test func gzipWhoseHeaderAsksForTooMuch() throws {
        let bytes = Self.bigEndian(0x803) + Self.bigEndian(1 << 30) + Self.bigEndian(28) + Self.bigEndian(28)
        let packed = try directory.gzip(bytes).count
        #expect(
            throws: DataError(
                path: imagePath + ".gz", offset: packed, expected: "841813590032 bytes for 1073741824×28×28 images",
                found: "a file of \(packed) bytes")
        ) { try readPacked(images: bytes) }
    }

    @Test func gzipOfSeveralMembers() throws {
        let second = try directory.gzip(Array(Self.images(2).dropFirst(20)))
        let dataset = try readPacked(images: Array(Self.images(2).prefix(20))) { $0 += second }
        #expect(dataset.pixels == (0..<12).map(UInt8.init))
    }
}
