import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

@Suite struct PaperRunTests {
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
        let run = try PaperRun(settings, data: data, directory: path)
        let result = try run.train(on: data)
        let lines = try metrics()
        #expect(lines.map { $0["epoch"] as? Int } == [1, 2, 3])
        #expect(lines.map { $0["test_accuracy"] as? Double } == result.epochs.map(\.test?.accuracy))
        #expect(run.run.best.value == result.epochs.compactMap(\.test?.accuracy).max())
        let opened = try PaperRun(resuming: path)
        var expected = settings
        expected.data = "\(directory.path)/data"
        #expect(opened.settings == expected)
        #expect(opened.run.digest == run.run.digest)
        #expect(opened.run.best == run.run.best)
        #expect(opened.run.trainer.position == run.run.trainer.position)
        #expect(opened.run.trainer.position.epoch == 3)
    }

    @Test func aResumedRunIsTheUnbrokenOne() throws {
        let unbroken = try PaperRun(settings, data: data, directory: "\(directory.path)/runs/unbroken")
        try unbroken.train(on: data)
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 2)
        try PaperRun(resuming: path).train(on: data, maxSteps: 3)
        let resumed = try PaperRun(resuming: path)
        try resumed.train(on: data)
        #expect(resumed.run.digest == unbroken.run.digest)
        #expect(resumed.run.best == unbroken.run.best)
        #expect(try metrics().map { $0["epoch"] as? Int } == [1, 2, 3])
    }

    /// The process was killed between the writing of the epoch's line and of the checkpoint. The line may be cut.
    @Test(arguments: ["{\"event\":\"epoch\",\"epoch\":2,\"loss\":9}\n", "{\"event\":\"epo"])
    func linesWithoutACheckpointAreDropped(line: String) throws {
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 4)
        let file = try #require(FileHandle(forWritingAtPath: "\(path)/metrics.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
        try PaperRun(resuming: path).train(on: data)
        let lines = try metrics()
        #expect(lines.map { $0["epoch"] as? Int } == [1, 2, 3])
        #expect(lines.allSatisfy { $0["loss"] as? Double != 9 })
    }

    @Test func aRunCanBeResumedBeforeItsFirstEpochEnds() throws {
        let run = try PaperRun(settings, data: data, directory: path)
        try run.train(on: data, maxSteps: 0)
        #expect(try PaperRun(resuming: path).run.digest == run.run.digest)
    }

    @Test func aRunCanBeGivenMoreEpochs() throws {
        try PaperRun(settings, data: data, directory: path).train(on: data)
        let longer = try PaperRun(resuming: path)
        longer.extend(toEpochs: 4)
        #expect(try longer.train(on: data).epochs.map(\.epoch) == [3])
        #expect(try PaperRun(resuming: path).settings.epochs == 4)
    }

    /// The added epochs give the weights of a run that began with the whole sequence of schedules.
    @Test func addedEpochsCanHaveAScheduleOfTheirOwn() throws {
        var settings = settings
        settings.schedule = .cosine(epochs: 3)
        try PaperRun(settings, data: data, directory: path).train(on: data)
        let finished = try PaperRun(resuming: path).run.digest
        let idle = try PaperRun(resuming: path)
        idle.extend(toEpochs: 5)
        #expect(idle.settings.scheduleWarning != nil)
        let longer = try PaperRun(resuming: path)
        longer.extend(toEpochs: 5, schedule: .constant)
        #expect(longer.settings.scheduleWarning == nil)
        try longer.train(on: data, maxSteps: 2)
        let resumed = try PaperRun(resuming: path)
        try resumed.train(on: data)
        #expect(resumed.run.digest != finished)
        settings.schedule = .cosine(epochs: 3).followed(by: .constant, fromEpoch: 3)
        settings.epochs = 5
        let unbroken = try PaperRun(settings, data: data, directory: "\(directory.path)/runs/unbroken")
        try unbroken.train(on: data)
        #expect(resumed.settings == unbroken.settings)
        #expect(resumed.run.digest == unbroken.run.digest)
    }

    @Test func testImagesCanBeLimited() throws {
        var settings = settings
        settings.testLimit = 5
        let result = try PaperRun(settings, data: data, directory: path).train(on: data)
        #expect(result.epochs.allSatisfy { $0.test?.sampleCount == 5 })
        #expect(try PaperRun(resuming: path).settings.testLimit == 5)
    }

    @Test func aRunIsNotOverwritten() throws {
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 0)
        let error = #expect(throws: SettingsError.self) { try PaperRun(settings, data: data, directory: path) }
        #expect(error?.setting == "output")
    }

    @Test func otherImagesAreRefused() throws {
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 1)
        let other = try TemporaryDirectory()
        let others = try DataSource.resolve(TinyTraining.writeIDX(to: other, train: 49))
        let error = try #require(throws: TrainingError.self) { try PaperRun(resuming: path).train(on: others) }
        for part in ["data: ", path, data.argument, others.argument] {
            #expect("\(error)".contains(try #require(part)))
        }
        #expect(throws: error) { try PaperRun(resuming: path).data(others.argument) }
        withExtendedLifetime(other) {}
    }

    @Test func theRunsOwnDataIsFoundAgain() throws {
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 1)
        let resumed = try PaperRun(resuming: path)
        #expect(try resumed.data().train.fingerprint == data.train.fingerprint)
        try resumed.train(on: resumed.data())
        _ = try TinyTraining.writeIDX(to: directory, train: 49)
        #expect(throws: TrainingError.self) { try resumed.data() }
        #expect(throws: TrainingError.self) { try SavedPaperRun(path).data() }
    }

    @Test func dataWithoutAPlaceIsGivenAgain() throws {
        var settings = settings
        settings.augments = false
        let own = try DataSource(train: TinyTraining.dataset(20), test: TinyTraining.dataset(9, seed: 2))
        try PaperRun(settings, data: own, directory: path).train(on: own, maxSteps: 1)
        let resumed = try PaperRun(resuming: path)
        #expect(resumed.settings.data == nil)
        #expect(throws: SettingsError.self) { try resumed.data() }
        #expect(throws: SettingsError.self) { try SavedPaperRun(path).data() }
        #expect(try resumed.train(on: own).end == .completed)
    }

    @Test(arguments: [
        LearningRateSchedule.cosine(epochs: 3, finalFactor: .nan), .cosine(epochs: 0),
        .warmUp(steps: 1, then: .sequence([])), .sequence([.init(fromEpoch: 0, schedule: .constant)]),
        .warmUp(steps: 0, then: .constant),
        .steps([.init(fromEpoch: -1, factor: 1)]),
    ])
    func settingsThatCannotBeReadAgainAreRefused(schedule: LearningRateSchedule) throws {
        var settings = settings
        settings.schedule = schedule
        let error = #expect(throws: SettingsError.self) { try PaperRun(settings, data: data, directory: path) }
        #expect(error?.setting == "schedule")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    // MARK: Errors while training

    /// After the second step, in the middle of an epoch, and after the sixth step, at the end of the second epoch.
    @Test(arguments: [(2, 1, 0), (6, 2, 3)])
    func aWeightThatIsNoNumberIsNotSaved(step: Int, epoch: Int, saved: Int) throws {
        let run = try PaperRun(settings, data: data, directory: path)
        let name = try #require(run.run.trainer.network.weightInfos.first?.name)
        let layer = String(name.split(separator: "/")[0])
        let damage = Meddler(atStep: step) { trainer in
            var weight = try trainer.network.weight(named: name)
            weight.withUnsafeMutableElements { $0[0] = .nan }
            try trainer.network.setWeight(named: name, to: weight)
        }
        #expect(throws: TrainingError.nonFinite(layer: layer, cause: .parameter(name: name), step: step, epoch: epoch))
        {
            try run.train(on: data, observers: [damage], maxSteps: step)
        }
        #expect(try PaperRun(resuming: path).run.trainer.position.step == saved)
    }

    @Test func aStateThatIsNoNumberIsNotSaved() throws {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        try trainer.fit(TinyTraining.dataset(9), epochs: 1)
        let file = "\(directory.path)/state"
        try trainer.save(to: file)
        let saved = try Data(contentsOf: URL(fileURLWithPath: file))
        trainer.network.states[0] = .infinity
        let name = try #require(trainer.network.stateLayout.entries.first?.name)
        func expected(step: Int, epoch: Int) -> TrainingError {
            .nonFinite(layer: "batch_norm", cause: .state(name: name), step: step, epoch: epoch)
        }
        #expect(throws: expected(step: 2, epoch: 1)) { try trainer.save(to: file) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == saved)
        #expect(throws: expected(step: 4, epoch: 2)) {
            try trainer.fit(TinyTraining.dataset(9), test: TinyTraining.dataset(9), epochs: 2)
        }
    }

    @Test func anErrorLeavesTheRunSaved() throws {
        struct Failure: Error {}
        let failure = Meddler(atStep: 2) { _ in throw Failure() }
        #expect(throws: Failure.self) {
            try PaperRun(settings, data: data, directory: path).train(on: data, observers: [failure])
        }
        let resumed = try PaperRun(resuming: path)
        #expect(resumed.run.trainer.position.step == 2)
        try resumed.train(on: data)
        let unbroken = try PaperRun(settings, data: data, directory: "\(directory.path)/runs/unbroken")
        try unbroken.train(on: data)
        #expect(resumed.run.digest == unbroken.run.digest)
    }

    /// A failure of an observer's own file doesn't concern the run.
    @Test func anObserversFileThatFailsLeavesTheRunSaved() throws {
        let error = CheckpointError.system(operation: .write, path: "elsewhere", code: ENOSPC)
        let failure = Meddler(atStep: 2) { _ in throw error }
        #expect(throws: error) {
            try PaperRun(settings, data: data, directory: path).train(on: data, observers: [failure])
        }
        #expect(try PaperRun(resuming: path).run.trainer.position.step == 2)
    }

    // MARK: The directory

    @Test func metricsWithoutACheckpointAreKept() throws {
        try directory.write("runs/one/metrics.jsonl", Array("{}\n".utf8))
        let error = CheckpointError.content(
            path: path, offset: nil, expected: "a directory without a run's files", found: "\(path)/metrics.jsonl")
        #expect(throws: error) { try PaperRun(settings, data: data, directory: path) }
    }

    /// A run from a version without generations goes on. The run's file is removed like any old checkpoint.
    @Test func theFileOfAnOlderVersionIsResumed() throws {
        let run = try PaperRun(settings, data: data, directory: path)
        try run.train(on: data, maxSteps: 2)
        let file = try SafetensorsFile("\(path)/checkpoint-000000002.safetensors")
        var metadata = file.metadata
        (metadata["linkednet.format"], metadata["linkednet.checksum"]) = ("1", nil)
        metadata["linkednet.run"] = metadata["linkednet.run"]?.replacing(/"computation":\[[^\]]*\],?/, with: "")
        let old = "\(directory.path)/runs/old"
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
        try withBorrowed(file.entries.map { ($0.name, try file.tensor(named: $0.name)) }) {
            try Safetensors.write($0, metadata: metadata, to: "\(old)/checkpoint.safetensors")
        }
        #expect(Run.exists(in: old))
        #expect(try SavedRun.digest(old) == run.run.digest)
        let resumed = try PaperRun(resuming: old)
        #expect(resumed.run.damage.isEmpty && resumed.run.computationChange == nil)
        try resumed.train(on: data)
        try run.train(on: data)
        #expect(resumed.run.digest == run.run.digest)
        #expect(resumed.run.best == run.run.best)
        #expect(!FileManager.default.fileExists(atPath: "\(old)/checkpoint.safetensors"))
    }

    @Test func anEmptyNameIsNoDirectory() throws {
        let error = #expect(throws: SettingsError.self) { try PaperRun(settings, data: data, directory: "") }
        #expect(error?.setting == "output")
    }

    @Test func whatAKilledProcessLeftIsRemoved() throws {
        try directory.write("runs/one/.linkednet-1f.tmp", [1])
        try directory.write("runs/one/notes.tmp", [1])
        try PaperRun(settings, data: data, directory: path).train(on: data, maxSteps: 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["checkpoint-000000001.safetensors", "latest", "lock", "notes.tmp"])
    }

    @Test func whatIsLeftIsRemovedThroughTheDisk() throws {
        let disk = SimulatedDisk()
        #expect(throws: CheckpointError.system(operation: .list, path: "run", code: ENOENT)) {
            try RunDirectory.removeTemporaries("run", on: disk)
        }
        try RunDirectory.make("run", on: disk)
        for name in [".linkednet-1f.tmp", "notes.tmp"] { try disk.close(disk.create("run/\(name)")) }
        try RunDirectory.removeTemporaries("run", on: disk)
        #expect(try disk.names(in: "run") == ["notes.tmp"])
    }

    @Test(arguments: ["", "{}", "[]", "{\"settings\":{}}"]) func aBrokenRecordIsRefused(text: String) throws {
        let run = try PaperRun(settings, data: data, directory: path)
        try run.run.trainer.save(to: "\(path)/checkpoint.safetensors", metadata: ["linkednet.run": text])
        #expect(throws: CheckpointError.self) { try PaperRun(resuming: path) }
    }

    @Test func aDirectoryWithoutARunIsRefused() throws {
        let error = #expect(throws: CheckpointError.self) { try PaperRun(resuming: path) }
        #expect(error?.path == path)
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
        let file = try directory.write("file", [])
        #expect(throws: CheckpointError.system(operation: .create, path: file, code: ENOTDIR)) {
            try PaperRun(settings, data: data, directory: "\(file)/run")
        }
    }
}

/// Calls a closure after a step.
private final class Meddler: TrainingObserver {
    private let step: Int
    private let body: (Trainer) throws -> Void

    init(atStep step: Int, _ body: @escaping (Trainer) throws -> Void) {
        self.step = step
        self.body = body
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        if event.step == step { try body(trainer) }
        return .proceed
    }
}
