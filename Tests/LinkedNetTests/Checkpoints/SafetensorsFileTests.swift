import Foundation
import Testing

@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

/// Reading of files that break the format's rules.
@Suite struct SafetensorsFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func read(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(directory.write("file", bytes))
    }

    // MARK: Rules of the format

    struct Bad: Sendable, CustomTestStringConvertible {
        let header: String
        var dataBytes = 0
        let offset: Int
        let expected: String
        let found: String

        var testDescription: String { header }
    }

    static let tensor = #""dtype":"F32","shape":[2]"#

    static let bad: [Bad] = [
        Bad(header: "", offset: 8, expected: "the header's opening brace", found: "the end of the header"),
        Bad(header: " {}", offset: 8, expected: "the header's opening brace", found: "\" \""),
        Bad(header: "[]", offset: 8, expected: "the header's opening brace", found: "\"[\""),
        Bad(header: "{", offset: 9, expected: "\"\"\"", found: "the end of the header"),
        Bad(header: "{} x", offset: 11, expected: "only spaces after the closing brace", found: "\"x\""),
        Bad(header: "{}\0", offset: 10, expected: "only spaces after the closing brace", found: "byte 0x00"),
        Bad(header: #"{"a""#, offset: 12, expected: "\":\"", found: "the end of the header"),
        Bad(header: #"{"a":1}"#, offset: 13, expected: "\"{\"", found: "\"1\""),
        Bad(header: "{\"a\nb\":1}", offset: 11, expected: "a string without control characters", found: "byte 0x0a"),
        Bad(header: #"{"\x":1}"#, offset: 11, expected: "an escape sequence", found: "\"x\""),
        Bad(header: #"{"\u00g0":1}"#, offset: 14, expected: "four hexadecimal digits", found: "\"g\""),
        Bad(header: #"{"\ud800":1}"#, offset: 16, expected: "the second half of a surrogate pair", found: "\"\"\""),
        Bad(header: #"{"\ud800\n":1}"#, offset: 17, expected: "the second half of a surrogate pair", found: "\"n\""),
        Bad(header: #"{"\udc00":1}"#, offset: 11, expected: "a Unicode character", found: "half of a surrogate pair"),
        Bad(
            header: #"{"\ud800\u0041":1}"#, offset: 11, expected: "a Unicode character",
            found: "half of a surrogate pair"),
        Bad(header: #"{"__metadata__":{"a":1}}"#, offset: 29, expected: "\"\"\"", found: "\"1\""),
        Bad(header: #"{"__metadata__":{"a":"1","a":"1"}}"#, offset: 33, expected: "every key once", found: "a again"),
        Bad(
            header: #"{"__metadata__":{},"__metadata__":{}}"#, offset: 27, expected: "every key once",
            found: "__metadata__ again"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,8]},\"a\":{\(tensor),\"data_offsets\":[8,16]}}",
            dataBytes: 16,
            offset: 62, expected: "every key once", found: "a again"),
        Bad(
            header: #"{"a":{"dtype":"F32","dtype":"F32"}}"#, offset: 28, expected: "every key once",
            found: "dtype again"),
        Bad(
            header: #"{"a":{"dtype":"F16"}}"#, offset: 13, expected: "dtype, shape and data_offsets for tensor a",
            found: "only dtype"),
        Bad(header: #"{"__metadata__":nul}"#, offset: 24, expected: "\"{\"", found: "\"n\""),
        Bad(header: #"{"__metadata__":nulll}"#, offset: 28, expected: "a comma or \"}\"", found: "\"l\""),
        Bad(
            header: #"{"a":{"strides":[1]}}"#, offset: 24, expected: "dtype, shape or data_offsets for tensor a",
            found: "strides"),
        Bad(
            header: #"{"a":{}}"#, offset: 13, expected: "dtype, shape and data_offsets for tensor a",
            found: "none of them"),
        Bad(
            header: "{\"a\":{\(tensor)}}", offset: 13, expected: "dtype, shape and data_offsets for tensor a",
            found: "only dtype and shape"),
        Bad(
            header: #"{"a":{"shape":[-1]}}"#, offset: 23, expected: "a whole number from 0 to \(Int.max)",
            found: "\"-\""),
        Bad(
            header: #"{"a":{"shape":[01]}}"#, offset: 23, expected: "a whole number from 0 to \(Int.max)",
            found: "\"0\""),
        Bad(header: #"{"a":{"shape":[1.5]}}"#, offset: 24, expected: "a comma or \"]\"", found: "\".\""),
        Bad(
            header: #"{"a":{"shape":[1,]}}"#, offset: 25, expected: "a whole number from 0 to \(Int.max)",
            found: "\"]\""),
        Bad(
            header: #"{"a":{"shape":[9223372036854775808]}}"#, offset: 23,
            expected: "a whole number from 0 to \(Int.max)", found: "\"9\""),
        Bad(
            header: #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, offset: 13,
            expected: "sizes that fit in memory for tensor a", found: "shape [4294967296, 4294967296]"),
        Bad(
            header: #"{"a":{"dtype":"X1","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, offset: 13,
            expected: "sizes that fit in memory for tensor a", found: "shape [4294967296, 4294967296]"),
        Bad(
            header: #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}"#, dataBytes: 4, offset: 13,
            expected: "0 bytes for tensor a of shape 0, F32", found: "data offsets 0 to 4"),
        Bad(
            header: #"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, dataBytes: 2, offset: 13,
            expected: "whole bytes for tensor a of shape 3, F4", found: "12 bits"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0]}}", offset: 13,
            expected: "a first and a last data offset for tensor a", found: "[0]"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[8,0]}}", dataBytes: 8, offset: 13,
            expected: "a first and a last data offset for tensor a", found: "[8, 0]"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,12]}}", dataBytes: 12, offset: 13,
            expected: "8 bytes for tensor a of shape 2, F32", found: "data offsets 0 to 12"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,8]}}", dataBytes: 7, offset: 13,
            expected: "tensor a to end within the file's 7 bytes of data", found: "an end at data byte 8"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[9223372036854775799,9223372036854775807]}}", dataBytes: 8,
            offset: 13,
            expected: "tensor a to begin where the one before it ends, at data byte 0",
            found: "data byte 9223372036854775799"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,8]},\"b\":{\(tensor),\"data_offsets\":[4,12]}}",
            dataBytes: 12,
            offset: 66, expected: "tensor b to begin where the one before it ends, at data byte 8", found: "data byte 4"
        ),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,8]},\"b\":{\(tensor),\"data_offsets\":[12,20]}}",
            dataBytes: 20,
            offset: 66, expected: "tensor b to begin where the one before it ends, at data byte 8",
            found: "data byte 12"),
        Bad(
            header: "{\"a\":{\(tensor),\"data_offsets\":[0,8]}}", dataBytes: 9, offset: 70,
            expected: "the end of the file after the last tensor", found: "1 more bytes"),
    ]

    @Test(arguments: bad) func refuses(_ bad: Bad) throws {
        let path = directory.path + "/file"
        #expect(
            throws: CheckpointError.content(path: path, offset: bad.offset, expected: bad.expected, found: bad.found)
        ) { try read(safetensors(header: bad.header, dataBytes: bad.dataBytes)) }
    }

    @Test func refusesOtherTextThanUTF8() throws {
        let header = Array("{\"".utf8) + [0xFF] + Array("\":{}}".utf8)
        let path = directory.path + "/file"
        #expect(
            throws: CheckpointError.content(path: path, offset: 10, expected: "a string in UTF-8", found: "other bytes")
        ) { try read([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header) }
    }

    @Test(arguments: [
        ("{}", 0), ("{ }   ", 0), ("{\t\"__metadata__\" : { } }\r\n", 0),
        (#"{"a":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}"#, 8),
    ]) func accepts(header: String, dataBytes: Int) throws {
        let file = try read(safetensors(header: header, dataBytes: dataBytes))
        #expect(file.entries.count == dataBytes / 8)
    }

    @Test(arguments: [
        #"{"__metadata__":null}"#, #"{"__metadata__" : null , "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    ])
    func acceptsNoTexts(header: String) throws {
        let file = try read(safetensors(header: header, dataBytes: header.contains("F32") ? 8 : 0))
        #expect(file.metadata == [:])
        #expect(file.entries.map(\.name) == (header.contains("F32") ? ["a"] : []))
    }

    /// An é of one scalar and an é of two scalars, which Swift compares as equal.
    private static let (composed, decomposed) = ("\u{E9}", "e\u{301}")

    @Test func namesAreBytes() throws {
        let path = directory.path + "/file"
        let tensors = try [Self.composed, Self.decomposed].enumerated().map {
            (name: $1, tensor: try Tensor(shape: [1], elements: [Float($0)]))
        }
        try write(tensors, to: path)
        let file = try SafetensorsFile(path)
        #expect(file.entries.map { Array($0.name.utf8) } == [[0xC3, 0xA9], [0x65, 0xCC, 0x81]])
        #expect(try file.tensor(named: Self.composed).elements == [0])
        #expect(try file.tensor(named: Self.decomposed).elements == [1])
        let header = "{\"\(Self.composed)\":{\(Self.tensor),\"data_offsets\":[0,8]}}"
        let other = try read(safetensors(header: header, dataBytes: 8))
        #expect(other[Self.composed] != nil)
        #expect(other[Self.decomposed] == nil)
    }

    /// The dictionary of texts keeps only the first of the two keys, which are equal in Swift.
    @Test func keysOfTextsAreBytes() throws {
        let header = "{\"__metadata__\":{\"\(Self.composed)\":\"1\",\"\(Self.decomposed)\":\"2\"}}"
        #expect(try read(safetensors(header: header)).metadata == [Self.composed: "1"])
    }

    @Test func readsEscapes() throws {
        let header = #"{"__metadata__":{"\"\\\/\b\f\n\r\t":"\u0041\u00e9\ud83d\ude00"}}"#
        #expect(try read(safetensors(header: header)).metadata == ["\"\\/\u{8}\u{C}\n\r\t": "Aé😀"])
    }

    @Test func tensorsComeInTheOrderOfTheirBytes() throws {
        let header = "{\"b\":{\(Self.tensor),\"data_offsets\":[8,16]},\"a\":{\(Self.tensor),\"data_offsets\":[0,8]}}"
        #expect(try read(safetensors(header: header, dataBytes: 16)).entries.map(\.name) == ["a", "b"])
    }

    @Test(arguments: [UInt64(1), 100_000_001, UInt64(Int.max), .max - 7, .max])
    func refusesALengthThatIsTooLarge(length: UInt64) throws {
        let path = directory.path + "/file"
        #expect(
            throws: CheckpointError.content(
                path: path, offset: 0, expected: "a header of at most 0 bytes", found: "a length of \(length)")
        ) { try read(withUnsafeBytes(of: length.littleEndian) { Array($0) }) }
    }

    /// The format's limit holds even if the file is long enough. The file is sparse.
    @Test func refusesAHeaderBeyondTheLimit() throws {
        let path = try directory.write("file", withUnsafeBytes(of: UInt64(100_000_001).littleEndian) { Array($0) })
        #expect(truncate(path, 200_000_000) == 0)
        #expect(
            throws: CheckpointError.content(
                path: path, offset: 0, expected: "a header of at most 100000000 bytes", found: "a length of 100000001")
        ) { try SafetensorsFile(path) }
    }

    /// A text of a few bytes in the header takes many times its size in memory, so the number of texts is limited.
    @Test func refusesMoreTextsThanAnybodyHas() throws {
        func header(_ count: Int) -> String {
            "{\"__metadata__\":{" + (0..<count).map { "\"\($0)\":\"\"" }.joined(separator: ",") + "}}"
        }
        let most = Safetensors.mostEntries
        #expect(try read(safetensors(header: header(most))).metadata.count == most)
        let path = directory.path + "/file"
        let offset = 8 + header(most).utf8.count - 1
        #expect(
            throws: CheckpointError.content(
                path: path, offset: offset, expected: "at most \(most) texts", found: "more")
        ) {
            try read(safetensors(header: header(most + 1)))
        }
        let metadata = Dictionary(uniqueKeysWithValues: (0...most).map { ("\($0)", "") })
        #expect(
            throws: CheckpointError.content(
                path: "file", offset: nil, expected: "at most \(most) tensors and as many texts",
                found: "0 and \(most + 1)")
        ) { try SafetensorsHeader.encode([], metadata: metadata, path: "file") }
    }

    @Test func refusesMoreTensorsThanAnybodyHas() throws {
        func header(_ count: Int) -> String {
            let tensors = (0..<count).map {
                "\"\($0)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(4 * $0),\(4 * $0 + 4)]}"
            }
            return "{" + tensors.joined(separator: ",") + "}"
        }
        let most = Safetensors.mostEntries
        #expect(try read(safetensors(header: header(most), dataBytes: 4 * most)).entries.count == most)
        let error = #expect(throws: CheckpointError.self) {
            try read(safetensors(header: header(most + 1), dataBytes: 4 * most + 4))
        }
        guard case .content(_, _, "at most \(most) tensors", "more") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func refusesMoreDimensionsThanAnybodyHas() throws {
        func header(_ rank: Int) -> String {
            let ones = Array(repeating: "1", count: rank).joined(separator: ",")
            return "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(ones)],\"data_offsets\":[0,4]}}"
        }
        #expect(try read(safetensors(header: header(32), dataBytes: 4)).entries.first?.shape.rank == 32)
        let path = directory.path + "/file"
        #expect(throws: CheckpointError.content(path: path, offset: 101, expected: "at most 32 numbers", found: "more"))
        {
            try read(safetensors(header: header(33), dataBytes: 4))
        }
        let tensor = try Tensor(shape: Shape(Array(repeating: 1, count: 33)))
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "at most 32 dimensions of tensor a", found: "33")
        ) { try write([("a", tensor)], to: path) }
    }

    // MARK: Damage

    @Test func everyTruncationIsAnError() throws {
        let bytes = try goldenBytes()
        for count in 0..<bytes.count {
            #expect(throws: CheckpointError.self, "\(count) bytes") { try read(Array(bytes[..<count])) }
        }
    }

    @Test func everyFlippedBitOfTheHeaderIsAnErrorOrAValidFile() throws {
        let bytes = try goldenBytes()
        let dataBytes = try read(bytes).entries.reduce(0) { $0 + $1.shape.elementCount * 4 }
        let headerEnd = bytes.count - dataBytes
        var refused = 0
        for bit in 0..<headerEnd * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            do {
                let file = try read(damaged)
                let elements = try file.entries.reduce(0) { try $0 + file.tensor(named: $1.name).elements.count }
                #expect(elements * 4 == dataBytes, "bit \(bit)")
            } catch {
                #expect(error is CheckpointError, "bit \(bit): \(error)")
                refused += 1
            }
        }
        // Only bits of names and texts are harmless.
        #expect(refused > headerEnd * 8 / 3 && refused < headerEnd * 8)
    }

    private func goldenBytes() throws -> [UInt8] {
        try Array(#require(Data(base64Encoded: GoldenSafetensorsTests.base64, options: .ignoreUnknownCharacters)))
    }

    // MARK: The disk

    @Test func missingFile() {
        let path = directory.path + "/missing"
        #expect(throws: CheckpointError.system(operation: .open, path: path, code: ENOENT)) {
            try SafetensorsFile(path)
        }
    }

    @Test func directoryInItsPlace() {
        let path = directory.path
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "a safetensors file", found: "a directory")
        ) { try SafetensorsFile(path) }
    }

    @Test func aFIFODoesNotBlock() {
        let path = directory.path + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(
            throws: CheckpointError.content(path: path, offset: nil, expected: "a safetensors file", found: "a FIFO")
        ) { try SafetensorsFile(path) }
    }

    @Test func aDevice() {
        #expect(
            throws: CheckpointError.content(
                path: "/dev/zero", offset: nil, expected: "a safetensors file", found: "a device")
        ) { try SafetensorsFile("/dev/zero") }
    }

    /// Fails every operation of opening and reading in turn.
    @Test func everyFailureIsReported() throws {
        let path = try directory.write("file", goldenBytes())
        var index = 0
        while true {
            let disk = FaultyDisk(.failure(index: index, code: EIO, forGood: true))
            do {
                let file = try SafetensorsFile(path, on: disk)
                for entry in file.entries { _ = try file.tensor(named: entry.name) }
                break
            } catch {
                #expect(error == .system(operation: index < 2 ? .open : .read, path: path, code: EIO))
            }
            #expect(disk.openFileCount == 0)
            index += 1
        }
        // Open, status, the header's length, the header, four tensors.
        #expect(index == 8)
    }

    @Test func continuesAfterInterruptionsAndShortReads() throws {
        let path = try directory.write("file", goldenBytes())
        #expect(
            try WeightsDigest.sha256(of: SafetensorsFile(path, on: FaultyDisk(.stutter)))
                == WeightsDigest.sha256(of: SafetensorsFile(path)))
    }

    /// The file shrinks after the reader has opened the file.
    @Test func namesWhereTheFileEnds() throws {
        let path = try directory.write(
            "file", safetensors(header: "{\"a\":{\(Self.tensor),\"data_offsets\":[0,8]}}", dataBytes: 8))
        let file = try SafetensorsFile(path)
        #expect(truncate(path, 67) == 0)
        #expect(
            throws: CheckpointError.content(
                path: path, offset: 67, expected: "3 more bytes", found: "the end of the file")
        ) { try file.tensor(named: "a") }
    }

    @Test func wrongRequests() throws {
        let path = try directory.write(
            "file", safetensors(header: "{\"a\":{\(Self.tensor),\"data_offsets\":[0,8]}}", dataBytes: 8))
        let file = try SafetensorsFile(path)
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "a tensor called b", found: "none of this name")
        ) { try file.tensor(named: "b") }
        var elements = [Float](repeating: 0, count: 3)
        #expect(
            throws: CheckpointError.content(
                path: path, offset: 62, expected: "3 elements in tensor a", found: "2 (shape 2)")
        ) { try elements.withUnsafeMutableBufferPointer { try file.read("a", into: $0) } }
    }
}
