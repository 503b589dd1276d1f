import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// An optimizer with any names of slots. Each slot counts the steps in its own way.
private struct CountingOptimizer: Optimizer {
    let learningRate = 0.1
    let decay = 0.0
    let slotNames: [String]

    func update(_ parameters: ParameterUpdate) {
        for index in 0..<parameters.count {
            for (slot, memory) in parameters.slots.enumerated() {
                memory[index] += Float(slot + 1)
                parameters.parameters[index] -= 0.001 * memory[index] * parameters.gradients[index]
            }
        }
    }
}

/// Layers, slots and texts may have any names: their names in a file don't collide.
@Suite struct CheckpointNameTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/state" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func trainer(_ names: [String], optimizer: any Optimizer, seed: UInt64 = 3) throws -> Trainer {
        let model = Sequential {
            Flatten()
            for name in names { Dense(4, name: name) }
            Dense(3)
        }
        return try Trainer(Network(model, input: [6, 6, 1], batch: 8, seed: seed), optimizer: optimizer)
    }

    private func step(_ trainer: Trainer) throws {
        let pixels = (0..<72).map { Float($0 % 7) / 8 }
        try trainer.step(pixels: pixels, labels: [0, 2])
    }

    /// A saved training goes on as if it hadn't been saved.
    private func checkSaving(_ names: [String], optimizer: any Optimizer) throws {
        let saved = try trainer(names, optimizer: optimizer)
        for _ in 0..<3 { try step(saved) }
        try saved.save(to: path, metadata: ["note": "own"])
        #expect(try SavedRun.digest(path) == saved.network.digest)
        let loaded = try trainer(names, optimizer: optimizer)
        try loaded.network.loadWeights(from: path)
        #expect(loaded.network.digest == saved.network.digest)
        let resumed = try trainer(names, optimizer: optimizer)
        try resumed.resume(from: path)
        #expect(resumed.network.digest == saved.network.digest)
        for trainer in [saved, resumed] { try step(trainer) }
        #expect(resumed.network.digest == saved.network.digest)

        let weights = "\(directory.path)/weights"
        try saved.network.saveWeights(to: weights)
        #expect(try SavedRun.digest(weights) == saved.network.digest)
        try loaded.network.loadWeights(from: weights)
        #expect(loaded.network.digest == saved.network.digest)
    }

    static let names = [
        "optimizer:x", "optimizer:", "optimizer:velocity", "optimizer:velocity/dense", "optimizer:\u{301}", "weight:",
        "weight:optimizer:x", "weight:dense", "__metadata__", "", "/", "a/b", "#", "a%2Fb", "linkednet.format",
        "caf\u{E9}", "cafe\u{301}", "\u{0}\"\\",
    ]

    @Test(arguments: names) func aLayersNameIsFree(name: String) throws {
        try checkSaving([name], optimizer: SGD(learningRate: 0.1, momentum: 0.9))
    }

    /// One of the names makes a layer's weight look like another layer's slot.
    @Test func allNamesAtOnce() throws {
        try checkSaving(Self.names, optimizer: Adam(learningRate: 0.01))
        try checkSaving(Self.names, optimizer: SGD(learningRate: 0.1, momentum: 0.9))
    }

    /// Slot a of x/y/kernel, and slot a/x of y/kernel.
    @Test func aSlotsNameIsFree() throws {
        let optimizer = CountingOptimizer(slotNames: ["a", "a/x", "100%", "100%2F", "", "\u{E9}", "e\u{301}"])
        try checkSaving(["x/y", "y"], optimizer: optimizer)
        let names = try SafetensorsFile(path).entries.map(\.name)
        #expect(names.contains("optimizer:a/x/y/kernel") && names.contains("optimizer:a%2Fx/y/kernel"))
    }

    @Test func twoSlotsOfOneNameAreRefused() throws {
        #expect(throws: OptimizerError(setting: "slotNames", expected: "names used once", found: "a twice")) {
            try trainer([], optimizer: CountingOptimizer(slotNames: ["a", "b", "a"]))
        }
    }

    @Test func ordinaryNamesStayAsTheyAre() throws {
        #expect(CheckpointName.names(ofWeight: "conv2d_1/kernel") == ["conv2d_1/kernel"])
        #expect(
            CheckpointName.names(ofSlot: "first_moment", weight: "dense/kernel")
                == ["optimizer:first_moment/dense/kernel"])
    }

    /// Older versions wrote all names unchanged. This version reads all files of older versions.
    @Test(arguments: [["optimizer:x", "dense"], ["weight:x", "weight:optimizer:y"]])
    func olderFilesAreRead(names: [String]) throws {
        let optimizer = CountingOptimizer(slotNames: ["a/b", "c"])
        let saved = try trainer(names, optimizer: optimizer)
        for _ in 0..<3 { try step(saved) }
        try saved.save(to: path)
        let file = try SafetensorsFile(path)
        var plain: [String: String] = [:]
        for weight in saved.network.weightInfos.map(\.name) {
            plain[CheckpointName.names(ofWeight: weight)[0]] = weight
            for slot in optimizer.slotNames {
                plain[CheckpointName.names(ofSlot: slot, weight: weight)[0]] = "optimizer:\(slot)/\(weight)"
            }
        }
        let tensors = try file.entries.map { entry in
            (name: try #require(plain[entry.name]), tensor: try file.tensor(named: entry.name))
        }
        #expect(tensors.map(\.name) != file.entries.map(\.name))
        let old = "\(directory.path)/old"
        try withBorrowed(tensors) {
            try Safetensors.writeChecked($0, metadata: file.metadata, to: old, on: SystemDisk())
        }
        let resumed = try trainer(names, optimizer: optimizer)
        try resumed.resume(from: old)
        #expect(resumed.network.digest == saved.network.digest)
        for trainer in [saved, resumed] { try step(trainer) }
        #expect(resumed.network.digest == saved.network.digest)
        // The reader still recognises another optimizer's state.
        let other = try trainer(names, optimizer: CountingOptimizer(slotNames: ["c"]))
        #expect(throws: CheckpointError.self) { try other.resume(from: old) }
    }

    @Test func theLayerOfAWeightIsItsWholePath() throws {
        for name in ["", "/", "a//b", "a/", "x"] {
            let network = try trainer([name], optimizer: SGD()).network
            #expect(network.weightInfos.first?.layer == name)
        }
    }

    // MARK: Texts

    /// A user's text under a key of the library would be lost.
    @Test(arguments: ["linkednet.format", "linkednet.seed", "linkednet.position", "linkednet.checksum"])
    func theLibrarysKeysAreRefused(key: String) throws {
        let trainer = try trainer([], optimizer: SGD())
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "texts under keys that don't begin with linkednet.", found: key)
        ) { try trainer.save(to: path, metadata: [key: "own"]) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// A file with another file's checksum would count as damaged.
    @Test func theChecksumOfAnotherFileIsRefused() throws {
        let trainer = try trainer([], optimizer: SGD())
        try trainer.save(to: path)
        let metadata = try SafetensorsFile(path).metadata
        let other = "\(directory.path)/weights"
        #expect(throws: CheckpointError.self) { try trainer.network.saveWeights(to: other, metadata: metadata) }
        #expect(!FileManager.default.fileExists(atPath: other))
    }

    /// Texts that look like the place of the checksum, before and after it.
    @Test func noTextPassesForTheChecksum() throws {
        let text = String(repeating: "0", count: 100)
        let texts = [
            "a\"linkednet.checksum": text, "z\"linkednet.checksum": text, "a,\"linkednet.checksum\":\"": text,
            "b": "{\"linkednet.checksum\":\"\(text)\"}",
        ]
        let trainer = try trainer(["linkednet.checksum"], optimizer: SGD())
        try trainer.save(to: path, metadata: texts)
        let file = try SafetensorsFile(path)
        try file.verifyChecksum(isRequired: true)
        for (key, text) in texts { #expect(file.metadata[key] == text) }
        try trainer.resume(from: path)
    }
}
