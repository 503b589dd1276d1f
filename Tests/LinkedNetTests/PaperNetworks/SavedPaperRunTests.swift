import Foundation
import LinkedNet
import PaperNetworks
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct SavedPaperRunTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let data: DataSource
    private let run: PaperRun

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
        run = try PaperRun(options.settings(), data: data, directory: path)
        try run.train(on: data)
    }

    @Test func isTheRunAsItWasSaved() throws {
        let saved = try SavedPaperRun(path)
        #expect(saved.settings == run.settings)
        #expect(WeightsDigest.sha256(of: saved.network.borrowedWeights) == run.run.digest)
        #expect(try SavedRun.digest(path) == run.run.digest)
        let result = try saved.evaluate(on: data.test)
        #expect(try result == run.run.trainer.evaluate(data.test))
        #expect(result.confusion.reduce(0, +) == 30)
    }

    @Test func mayBeGivenByItsCheckpoint() throws {
        let checkpoint = path + "/checkpoint-000000002.safetensors"
        #expect(try SavedPaperRun(checkpoint).settings == run.settings)
        #expect(try SavedRun.digest(checkpoint) == run.run.digest)
    }

    @Test func aDirectoryWithoutARun() {
        let error = CheckpointError.content(
            path: directory.path, offset: nil, expected: "the directory of a run",
            found: "a directory without a checkpoint; a run is in \(directory.path)/run")
        #expect(throws: error) { try SavedPaperRun(directory.path) }
        #expect(throws: error) { try SavedRun.digest(directory.path) }
        #expect(throws: error) { try PaperRun(resuming: directory.path) }
    }

    @Test func aNameThatIsNearlyARuns() {
        for (name, hint) in [("rnu", "; did you mean \(path)?"), ("nothing", "")] {
            let error = CheckpointError.content(
                path: "\(directory.path)/\(name)", offset: nil, expected: "the directory of a run",
                found: "no such file or directory\(hint)")
            #expect(throws: error) { try PaperRun(resuming: "\(directory.path)/\(name)") }
        }
    }

    @Test func classesAreComparedByName() throws {
        func dataset(_ names: [String]) throws -> ImageDataset {
            try ImageDataset(name: "other", imageShape: [1, 1, 1], classNames: names, pixels: [0], labels: [0])
        }
        let saved = try SavedPaperRun(path)
        #expect(try saved.classWarning(about: dataset(IDX.digits)) == nil)
        #expect(
            try saved.classWarning(about: dataset(["cat", "dog"]))
                == "the run learned the classes 0, 1, 2, …, and other has cat, dog: its labels may mean something else")
    }

    @Test func weightsAloneAreNoRun() throws {
        let weights = directory.path + "/weights"
        try run.run.trainer.network.saveWeights(to: weights)
        #expect(
            throws: CheckpointError.content(
                path: weights, offset: nil, expected: "the checkpoint of a run",
                found: "a file without a run's settings")
        ) { try SavedPaperRun(weights) }
        #expect(try SavedRun.digest(weights) == run.run.digest)
    }
}
