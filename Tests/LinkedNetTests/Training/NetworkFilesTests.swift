import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

@Suite struct NetworkFilesTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/weights.safetensors"
    }

    private func network(units: Int = 4, batchNorm: Bool = true, seed: UInt64) throws -> Network {
        let model = Sequential {
            Dense(units)
            if batchNorm { BatchNorm() }
            Dense(2)
        }
        return try Network(model, input: [3], batch: 2, seed: seed)
    }

    private func digest(_ network: Network) -> String { WeightsDigest.sha256(of: network.borrowedWeights) }

    @Test func whatIsSavedIsLoaded() throws {
        let saved = try network(seed: 1)
        let loaded = try network(seed: 2)
        saved.states.indices.forEach { saved.states[$0] = Float($0) }
        #expect(digest(loaded) != digest(saved))
        try saved.saveWeights(to: path, metadata: ["note": "first"])
        try loaded.loadWeights(from: path)
        #expect(digest(loaded) == digest(saved))
        for info in saved.weightInfos {
            #expect(try loaded.weight(named: info.name) == saved.weight(named: info.name))
        }
        #expect(try SafetensorsFile(path).metadata == ["note": "first"])
        #expect(try SavedRun.digest(path) == digest(saved))
    }

    @Test func theOptimizersTensorsArePassedOver() throws {
        let saved = try network(seed: 1)
        let slot = try Tensor(shape: [1], elements: [7])
        try withBorrowed([("optimizer:velocity/dense/kernel", slot)]) {
            try Safetensors.write(saved.borrowedWeights + $0, to: path)
        }
        let loaded = try network(seed: 2)
        try loaded.loadWeights(from: path)
        #expect(digest(loaded) == digest(saved))
        #expect(try SavedRun.digest(path) == digest(saved))
    }

    @Test func everyDifferenceIsNamed() throws {
        let other = try network(units: 5, batchNorm: false, seed: 1)
        let one = try Tensor(shape: [1], elements: [1])
        try withBorrowed([("other", one), ("optimizer:velocity/dense/kernel", one)]) {
            try Safetensors.write(other.borrowedWeights + $0, to: path)
        }
        let network = try self.network(seed: 2)
        let before = digest(network)
        let mismatch = #expect(throws: WeightsMismatch.self) { try network.loadWeights(from: path) }
        #expect(digest(network) == before)
        #expect(mismatch?.path == path)
        #expect(mismatch?.surplus == ["other"])
        #expect(mismatch?.missing == network.weightInfos.map(\.name).filter { $0.hasPrefix("batch_norm") })
        #expect(mismatch?.missing.count == 4)
        #expect(
            mismatch?.misshapen == [
                .init(name: "dense/kernel", expected: [3, 4], found: [3, 5]),
                .init(name: "dense/bias", expected: [4], found: [5]),
                .init(name: "dense_1/kernel", expected: [4, 2], found: [5, 2]),
            ])
        let text = mismatch?.description ?? ""
        for part in ["other", "batch_norm", "dense_1/kernel: expected shape 4×2, found 5×2"] {
            #expect(text.contains(part))
        }
    }

    @Test func aDamagedFileChangesNothing() throws {
        let network = try self.network(seed: 1)
        let before = digest(network)
        try directory.write("weights.safetensors", [1, 2, 3])
        #expect(throws: CheckpointError.self) { try network.loadWeights(from: path) }
        #expect(digest(network) == before)
    }

    // MARK: Files of others

    /// The network's weights in another precision, beside a counter like PyTorch's BatchNorm's and an empty tensor.
    private func foreignFile(
        _ network: Network, type: String, bytes: (Float) -> [UInt8], counterName: String = "batch_norm/count"
    ) throws {
        var (members, data) = ([String](), [UInt8]())
        func add(_ name: String, _ type: String, _ shape: Shape, _ bytes: [UInt8]) {
            members.append(
                """
                "\(name)":{"dtype":"\(type)","shape":\(shape.dimensions),\
                "data_offsets":[\(data.count),\(data.count + bytes.count)]}
                """)
            data += bytes
        }
        add("empty", "F32", [0], [])
        for weight in network.borrowedWeights { add(weight.name, type, weight.shape, weight.elements.flatMap(bytes)) }
        add(counterName, "I64", [], Array(repeating: 1, count: 8))
        let header = "{\"__metadata__\":null,\(members.joined(separator: ","))}"
        try directory.write("weights.safetensors", safetensors(header: header) + data)
    }

    private func wide(_ value: Float) -> [UInt8] {
        withUnsafeBytes(of: Double(value).bitPattern.littleEndian) { Array($0) }
    }

    @Test func floatsOfOtherPrecisionAreLoaded() throws {
        let saved = try network(seed: 1)
        saved.states.indices.forEach { saved.states[$0] = Float($0) }
        try foreignFile(saved, type: "F64", bytes: wide)
        let loaded = try network(seed: 2)
        try loaded.loadWeights(from: path)
        #expect(digest(loaded) == digest(saved))
        #expect(try SavedRun.digest(path) == digest(saved))
    }

    @Test func aWeightThatIsNoFloatIsNamed() throws {
        let network = try self.network(seed: 1)
        try foreignFile(network, type: "I32", bytes: { _ in [0, 0, 0, 0] })
        let before = digest(network)
        let mismatch = #expect(throws: WeightsMismatch.self) { try network.loadWeights(from: path) }
        #expect(digest(network) == before)
        #expect(mismatch?.mistyped.map(\.name) == network.weightInfos.map(\.name))
        #expect(mismatch?.missing == [] && mismatch?.surplus == [] && mismatch?.misshapen == [])
        #expect(mismatch?.description.contains("dense/kernel: expected F32, F64, F16 or BF16, found I32") == true)
    }

    /// The last weight doesn't fit, and no weight before changes.
    @Test func aWeightThatNoFloatHoldsChangesNothing() throws {
        let network = try self.network(seed: 1)
        try foreignFile(network, type: "F64", bytes: { _ in wide(0.5) })
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        let tooLarge = withUnsafeBytes(of: (1e300).bitPattern.littleEndian) { Array($0) }
        bytes.replaceSubrange(bytes.count - 16..<bytes.count - 8, with: tooLarge)
        try directory.write("weights.safetensors", bytes)
        let before = digest(network)
        #expect(throws: CheckpointError.self) { try network.loadWeights(from: path) }
        #expect(digest(network) == before)
    }

    /// The reader tells different names with the same look apart, and the error explains the difference.
    @Test func namesThatOnlyLookTheSameAreNamed() throws {
        func network(_ name: String) throws -> Network {
            try Network(Sequential { Dense(2, name: name) }, input: [3], batch: 2, seed: 1)
        }
        try network("caf\u{E9}").saveWeights(to: path)
        try network("caf\u{E9}").loadWeights(from: path)
        let mismatch = #expect(throws: WeightsMismatch.self) { try network("cafe\u{301}").loadWeights(from: path) }
        #expect(mismatch?.missing.count == 2)
        #expect(mismatch?.surplus.count == 2)
        #expect(mismatch?.description.contains("Unicode normalisation") == true)
    }
}
