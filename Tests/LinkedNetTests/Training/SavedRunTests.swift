import Foundation
import LinkedNet
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct SavedRunTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let data: DataSource
    private let run: Run

    /// A run of a few steps on IDX files of 8×8 pixels.
    init() throws {
        directory = try TemporaryDirectory()
        for (split, count) in [("train", 40), ("t10k", 30)] {
            try directory.write("\(split)-images-idx3-ubyte", IDXTests.images(count, height: 8, width: 8))
            try directory.write("\(split)-labels-idx1-ubyte", IDXTests.labels(count))
        }
        path = directory.path + "/run"
        data = try DataSource.resolve(directory.path)
        var options = RunOptions()
        options.model = ModelName("width:4")
        options.epochs = 1
        options.batchSize = 8
        run = try Run(options.settings(), data: data, directory: path)
        try run.train(on: data)
    }

    @Test func isTheRunAsItWasSaved() throws {
        let saved = try SavedRun(path)
        #expect(saved.settings == run.settings)
        #expect(WeightsDigest.sha256(of: saved.network.borrowedWeights) == run.digest)
        #expect(try SavedRun.digest(path) == run.digest)
        let result = try saved.evaluate(on: data.test)
        #expect(try result == run.trainer.evaluate(data.test))
        #expect(result.confusion.reduce(0, +) == 30)
    }

    @Test func mayBeGivenByItsCheckpoint() throws {
        let checkpoint = path + "/checkpoint-000000002.safetensors"
        #expect(try SavedRun(checkpoint).settings == run.settings)
        #expect(try SavedRun.digest(checkpoint) == run.digest)
    }

    @Test func aDirectoryWithoutARun() {
        let error = CheckpointError.system(
            operation: .open, path: directory.path + "/latest", code: ENOENT)
        #expect(throws: error) { try SavedRun(directory.path) }
        #expect(throws: error) { try SavedRun.digest(directory.path) }
    }

    @Test func weightsAloneAreNoRun() throws {
        let weights = directory.path + "/weights"
        try run.trainer.network.saveWeights(to: weights)
        #expect(
            throws: CheckpointError.content(
                path: weights, offset: nil, expected: "the checkpoint of a run",
                found: "a file without a run's settings")
        ) { try SavedRun(weights) }
        #expect(try SavedRun.digest(weights) == run.digest)
    }
}
