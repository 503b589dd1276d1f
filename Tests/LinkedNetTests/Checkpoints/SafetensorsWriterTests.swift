import Foundation
import Testing

@testable import LinkedNet

@Suite struct SafetensorsWriterTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let tensors: [(name: String, tensor: Tensor)]

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/file.safetensors"
        tensors = [
            ("z", try Tensor(shape: [2, 1, 3], elements: [1, -2, .nan, 4, .infinity, -0.0])),
            ("a", try Tensor(shape: [], elements: [0.1])),
            ("ä\"\\\n\u{7F}😀", try Tensor(shape: [1], elements: [.leastNonzeroMagnitude])),
        ]
    }

    private func bytes() throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: path))) }

    @Test func whatIsWrittenIsRead() throws {
        let metadata = ["b": "line\nline", "a": "\"\\\u{0}\u{1F}é", "": ""]
        try write(tensors, metadata: metadata, to: path)
        let file = try SafetensorsFile(path)
        #expect(file.metadata == metadata)
        #expect(file.entries.map(\.name) == tensors.map(\.name))
        for (name, tensor) in tensors {
            let read = try file.tensor(named: name)
            #expect(read.shape == tensor.shape)
            #expect(read.elements.map(\.bitPattern) == tensor.elements.map(\.bitPattern))
        }
    }

    @Test func exactBytes() throws {
        try write([("b", try Tensor(shape: [2], elements: [1, 2]))], metadata: ["y": "1", "x": "2"], to: path)
        let header =
            #"{"__metadata__":{"x":"2","y":"1"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"# + " "
            + String(repeating: " ", count: 32)
        #expect((8 + header.utf8.count) % 64 == 0)
        #expect(try bytes() == safetensors(header: header) + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
    }

    @Test(arguments: 0..<64) func dataIsAligned(nameLength: Int) throws {
        let name = String(repeating: "n", count: nameLength)
        try write([(name, try Tensor(shape: [1], elements: [1]))], to: path)
        #expect(try bytes().count % 64 == 4)
        #expect(try SafetensorsFile(path).tensor(named: name).elements == [1])
    }

    @Test func nothingToWrite() throws {
        try write([], to: path)
        #expect(try SafetensorsFile(path).entries.isEmpty)
    }

    @Test(arguments: ["z", "__metadata__"]) func refusesAName(name: String) throws {
        let more = tensors + [(name, try Tensor(shape: [1], elements: [1]))]
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "names that are not reserved and occur once", found: name)
        ) { try write(more, to: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [[3], [0], [-1], [Int.max, 2], [2, 2]] as [[Int]])
    func refusesAShapeThatDoesNotFit(sizes: [Int]) {
        let elements: [Float] = [1, 2]
        elements.withUnsafeBufferPointer { elements in
            let tensor = BorrowedTensor(name: "a", shape: Shape(sizes), elements: elements)
            #expect(
                throws: CheckpointError.content(
                    path: path, offset: nil, expected: "tensor a to have as many elements as its shape \(Shape(sizes))",
                    found: "2")
            ) { try Safetensors.write([tensor], to: path) }
        }
    }

    /// The limit is 120 bytes, of which 24 stand around the key and the text.
    @Test(arguments: [(95, 120), (96, 120), (97, nil)]) func refusesAHeaderBeyondTheLimit(length: Int, bytes: Int?) {
        let metadata = ["": String(repeating: "x", count: length)]
        let header = try? SafetensorsHeader.encode([], metadata: metadata, path: path, longest: 120)
        #expect(header?.count == bytes.map { $0 + 8 })
        guard bytes == nil else { return }
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "a header of at most 120 bytes",
                found: "184 bytes for 0 tensors and their metadata")
        ) { try SafetensorsHeader.encode([], metadata: metadata, path: path, longest: 120) }
    }

    @Test func aFailureKeepsTheOldFile() throws {
        try write(tensors, to: path)
        let old = try bytes()
        #expect(throws: CheckpointError.self) {
            try write([], to: path, on: FaultyDisk(.failure(index: 3, code: 28, forGood: false)))
        }
        #expect(try bytes() == old)
    }
}
