import Testing

@testable import LinkedNet

/// Tensors of types other than 32-bit floats.
@Suite struct SafetensorsTypeTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func read(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(directory.write("file", bytes))
    }

    /// Every type of the format, and the size of three elements, or of eight elements where three are no whole bytes.
    static let types: [(type: String, count: Int, bytes: Int)] = [
        ("F4", 8, 4), ("F6_E2M3", 8, 6), ("F6_E3M2", 8, 6), ("F8_E5M2", 3, 3), ("F8_E4M3", 3, 3), ("F8_E8M0", 3, 3),
        ("F8_E5M2FNUZ", 3, 3), ("F8_E4M3FNUZ", 3, 3), ("BOOL", 3, 3), ("U8", 3, 3), ("I8", 3, 3), ("U16", 3, 6),
        ("I16", 3, 6), ("F16", 3, 6), ("BF16", 3, 6), ("U32", 3, 12), ("I32", 3, 12), ("F32", 3, 12), ("U64", 3, 24),
        ("I64", 3, 24), ("F64", 3, 24), ("C64", 3, 24),
    ]

    /// A tensor of any type may lie beside a wanted tensor. The reader checks the size of every tensor.
    @Test(arguments: types) func othersLieBesideThoseThatAreRead(type: String, count: Int, bytes: Int) throws {
        func header(_ end: Int) -> String {
            """
            {"a":{"dtype":"\(type)","shape":[\(count)],"data_offsets":[0,\(end)]},\
            "b":{\(SafetensorsFileTests.tensor),"data_offsets":[\(end),\(end + 8)]}}
            """
        }
        let file = try read(safetensors(header: header(bytes), dataBytes: bytes + 8))
        #expect(file["a"]?.type.name == type)
        #expect(file["a"]?.shape == [count])
        #expect(try file.tensor(named: "b").elements == [0, 0])
        if ["F16", "BF16", "F32", "F64"].contains(type) {
            #expect(file["a"]?.type.isReadable == true)
            #expect(try file.tensor(named: "a").elements == Array(repeating: 0, count: count))
        } else {
            #expect(file["a"]?.type.isReadable == false)
            let offset = try #require(file["a"]?.offset)
            #expect(
                throws: CheckpointError.content(
                    path: file.path, offset: offset, expected: "tensor a to be of F32, F64, F16 or BF16", found: type)
            ) { try file.tensor(named: "a") }
        }
        for end in [bytes - 1, bytes + 1] {
            #expect(
                throws: CheckpointError.content(
                    path: file.path, offset: 13, expected: "\(bytes) bytes for tensor a of shape \(count), \(type)",
                    found: "data offsets 0 to \(end)")
            ) { try read(safetensors(header: header(end), dataBytes: end + 8)) }
        }
    }

    /// The reader doesn't know the size of a future type.
    @Test func anUnknownTypeMattersOnlyWhenItIsRead() throws {
        let header = """
            {"a":{"dtype":"F2\\u001b","shape":[3],"data_offsets":[0,5]},\
            "b":{\(SafetensorsFileTests.tensor),"data_offsets":[5,13]}}
            """
        let file = try read(safetensors(header: header, dataBytes: 13))
        #expect(try file.tensor(named: "b").elements == [0, 0])
        let error = #expect(throws: CheckpointError.self) { try file.tensor(named: "a") }
        #expect(error?.description.contains("found F2\\u{1b}") == true)
    }

    /// PyTorch writes empty buffers in this way.
    @Test func tensorsOfNothingLieBesideOthers() throws {
        let header = """
            {"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},\
            "b":{\(SafetensorsFileTests.tensor),"data_offsets":[0,8]},\
            "c":{"dtype":"I64","shape":[4294967296,4294967296,0],"data_offsets":[8,8]}}
            """
        let file = try read(safetensors(header: header, dataBytes: 8))
        #expect(file.entries.map(\.name) == ["a", "b", "c"])
        #expect(try file.tensor(named: "b").elements == [0, 0])
        try file.read("a", into: UnsafeMutableBufferPointer(start: nil, count: 0))
        #expect(
            throws: CheckpointError.content(
                path: file.path, offset: nil, expected: "at least one element in tensor a", found: "shape 0")
        ) { try file.tensor(named: "a") }
    }

    private func file(_ type: String, _ count: Int, _ data: [UInt8]) throws -> SafetensorsFile {
        let header = "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[\(count)],\"data_offsets\":[0,\(data.count)]}}"
        return try read(safetensors(header: header) + data)
    }

    private func bytes(_ values: some Sequence<some FixedWidthInteger>) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }

    /// The test compares all halves with Swift's own conversion. NaN keeps its sign and payload.
    @Test func everyHalfIsConverted() throws {
        let bits = UInt16.min...UInt16.max
        let halves = try file("F16", 65536, bytes(bits)).tensor(named: "a").elements
        let brains = try file("BF16", 65536, bytes(bits)).tensor(named: "a").elements
        for index in bits {
            #expect(brains[Int(index)].bitPattern == UInt32(index) << 16)
            let (half, expected) = (halves[Int(index)], Float(Float16(bitPattern: index)))
            if expected.isNaN {
                #expect(half.isNaN && half.bitPattern >> 31 == UInt32(index) >> 15)
            } else if half.bitPattern != expected.bitPattern {
                Issue.record("half \(index): \(half) instead of \(expected)")
            }
        }
    }

    @Test func doublesAreRounded() throws {
        let values = [
            1, -0.0, 0.1, .leastNonzeroMagnitude, 16_777_217, 16_777_219, .infinity, -.infinity, 3.4e38, .nan,
        ]
        let found = try file("F64", values.count, bytes(values.map(\.bitPattern))).tensor(named: "a").elements
        #expect(found.dropLast().map(\.bitPattern) == values.dropLast().map { Float($0).bitPattern })
        #expect(found.last?.isNaN == true)
    }

    /// The tensor is larger than the piece that is converted at once, 1 MiB.
    @Test func aDoubleThatNoFloatHoldsIsRefused() throws {
        let count = (1 << 17) + 2
        for index in [0, 1 << 17, count - 1] {
            var values = (0..<count).map(Double.init)
            values[index] = 1e39
            let file = try file("F64", count, bytes(values.map(\.bitPattern)))
            let offset = try #require(file["a"]?.offset) + 8 * index
            let error = CheckpointError.content(
                path: file.path, offset: offset, expected: "elements of tensor a that 32-bit floats can hold",
                found: "1e+39")
            #expect(throws: error) { try file.tensor(named: "a") }
            #expect(throws: error) { try file.checkReadable("a") }
            values[index] = Double(index)
            let good = try self.file("F64", count, bytes(values.map(\.bitPattern)))
            try good.checkReadable("a")
            #expect(try good.tensor(named: "a").elements == values.map { Float($0) })
        }
    }
}
