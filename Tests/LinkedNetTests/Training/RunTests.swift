import Foundation
import LinkedNet
import Testing

@Suite struct RunTests {
    private let directory: TemporaryDirectory
    private let data: DataSource
    private let settings: RunSettings
    private var path: String { "\(directory.path)/runs/one" }

    init() throws {
        directory = try TemporaryDirectory()
        data = try DataSource.resolve(TinyTraining.writeIDX(to: directory))
        var options = RunOptions()
        (options.model, options.batchSize, options.epochs, options.shuffles) = (.width(2), 16, 3, true)
        (options.augments, options.limit) = (true, 44)
        settings = try options.settings()
    }

    private func metrics() throws -> [[String: Any]] {
        try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test func aRunIsSavedWithItsMetrics() throws {
        let run = try Run(settings, data: data, directory: path)
        let result = try run.train(on: data)
        let lines = try metrics()
        #expect(lines.map { $0["epoch"] as? Int } == [1, 2, 3])
        #expect(lines.map { $0["test_accuracy"] as? Double } == result.epochs.map(\.test?.accuracy))
        #expect(run.best.value == result.epochs.compactMap(\.test?.accuracy).max())
        let opened = try Run(resuming: path)
        #expect(opened.settings == settings)
        #expect(opened.digest == run.digest)
        #expect(opened.best == run.best)
        #expect(opened.trainer.position == run.trainer.position)
        #expect(opened.trainer.position.epoch == 3)
    }

    @Test func aResumedRunIsTheUnbrokenOne() throws {
        let unbroken = try Run(settings, data: data, directory: "\(directory.path)/runs/unbroken")
        try unbroken.train(on: data)
        try Run(settings, data: data, directory: path).train(on: data, maxSteps: 2)
        try Run(resuming: path).train(on: data, maxSteps: 3)
        let resumed = try Run(resuming: path)
        try resumed.train(on: data)
        #expect(resumed.digest == unbroken.digest)
        #expect(resumed.best == unbroken.best)
        #expect(try metrics().map { $0["epoch"] as? Int } == [1, 2, 3])
    }

    /// Killed after the epoch's line was written and before the checkpoint was; the line may be cut.
    @Test(arguments: ["{\"event\":\"epoch\",\"epoch\":2,\"loss\":9}\n", "{\"event\":\"epo"])
    func linesWithoutACheckpointAreDropped(line: String) throws {
        try Run(settings, data: data, directory: path).train(on: data, maxSteps: 4)
        let file = try #require(FileHandle(forWritingAtPath: "\(path)/metrics.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
        try Run(resuming: path).train(on: data)
        let lines = try metrics()
        #expect(lines.map { $0["epoch"] as? Int } == [1, 2, 3])
        #expect(lines.allSatisfy { $0["loss"] as? Double != 9 })
    }

    @Test func aRunCanBeResumedBeforeItsFirstEpochEnds() throws {
        let run = try Run(settings, data: data, directory: path)
        try run.train(on: data, maxSteps: 0)
        #expect(try Run(resuming: path).digest == run.digest)
    }

    @Test func aRunCanBeGivenMoreEpochs() throws {
        try Run(settings, data: data, directory: path).train(on: data)
        let longer = try Run(resuming: path)
        longer.extend(toEpochs: 4)
        #expect(try longer.train(on: data).epochs.map(\.epoch) == [3])
        #expect(try Run(resuming: path).settings.epochs == 4)
    }

    @Test func aRunIsNotOverwritten() throws {
        try Run(settings, data: data, directory: path).train(on: data, maxSteps: 0)
        let error = #expect(throws: SettingsError.self) { try Run(settings, data: data, directory: path) }
        #expect(error?.option == "--output")
    }

    @Test func otherImagesAreRefused() throws {
        try Run(settings, data: data, directory: path).train(on: data, maxSteps: 1)
        let other = try TemporaryDirectory()
        let others = try DataSource.resolve(TinyTraining.writeIDX(to: other, train: 49))
        #expect(throws: DataError.self) { try Run(resuming: path).train(on: others) }
    }

    @Test(arguments: ["", "{}", "[]", "{\"settings\":{}}"]) func aBrokenRecordIsRefused(text: String) throws {
        let run = try Run(settings, data: data, directory: path)
        try run.trainer.save(to: "\(path)/checkpoint.safetensors", metadata: ["linkednet.run": text])
        #expect(throws: CheckpointError.self) { try Run(resuming: path) }
    }

    @Test func aDirectoryWithoutARunIsRefused() throws {
        let error = #expect(throws: CheckpointError.self) { try Run(resuming: path) }
        #expect(error?.path == "\(path)/checkpoint.safetensors")
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
        let file = try directory.write("file", [])
        #expect(throws: CheckpointError.system(operation: .create, path: "\(file)/run", code: ENOTDIR)) {
            try Run(settings, data: data, directory: "\(file)/run")
        }
    }
}
