import Testing

@testable import LinkedNet

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
}
