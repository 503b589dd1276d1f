import Foundation
import Testing

@testable import LinkedNet

/// What happens to a run's directory while it trains, and around that.
@Suite struct RunSavingTests {
    private let directory: TemporaryDirectory
    private let data: DataSource
    private let settings: RunSettings
    private var path: String { "\(directory.path)/run" }

    init() throws {
        directory = try TemporaryDirectory()
        data = try DataSource.resolve(TinyTraining.writeIDX(to: directory))
        var options = RunOptions()
        (options.model, options.batchSize, options.epochs, options.shuffles) = (.width(2), 8, 4, true)
        settings = try options.settings()
    }

    private func run(_ name: String = "run") throws -> Run {
        try Run(settings, data: data, directory: "\(directory.path)/\(name)")
    }

    private func checkpoints() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix("checkpoint") }.sorted()
    }

    @Test func twoCheckpointsAreKept() throws {
        let run = try run()
        run.saveInterval = .steps(1)
        try run.train(on: data)
        let kept = try checkpoints()
        #expect(kept.count == 2)
        #expect(try String(contentsOfFile: "\(path)/latest", encoding: .utf8) == "\(kept[1])\n")
    }

    /// Stopped at any step, and resumed with another number of threads, it ends with the unbroken run's weights and
    /// best score.
    @Test(arguments: [1, 3, 7, 8, 13, 20, 27], [1, 3])
    func resumingIsExact(step: Int, threads: Int) throws {
        let unbroken = try run("unbroken")
        try unbroken.train(on: data)
        try run().train(on: data, maxSteps: step)
        try Runtime.withThreadCount(threads) {
            let resumed = try Run(resuming: path)
            #expect(resumed.trainer.position.step == step)
            try resumed.train(on: data)
            #expect(resumed.digest == unbroken.digest)
            #expect(resumed.best == unbroken.best)
        }
    }

    /// A run that is resumed from an older checkpoint does the steps between again, and is the same in the end.
    @Test func damageIsAnnouncedAndRepaired() throws {
        let unbroken = try run("unbroken")
        try unbroken.train(on: data)
        try run().train(on: data, maxSteps: 5)
        try Run(resuming: path).train(on: data, maxSteps: 6)
        let newest = try #require(try checkpoints().last)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(newest)"))
        bytes[bytes.count - 3] ^= 4
        try bytes.write(to: URL(fileURLWithPath: "\(path)/\(newest)"))
        #expect(try SavedRun(path).damage.map(\.path) == ["\(path)/\(newest)"])
        let resumed = try Run(resuming: path)
        #expect(resumed.damage.map(\.path) == ["\(path)/\(newest)"])
        #expect(resumed.trainer.position.step < 11)
        try resumed.train(on: data)
        #expect(resumed.digest == unbroken.digest)
        #expect(resumed.best == unbroken.best)
        #expect(try SavedRun(path).damage.isEmpty)
    }

    /// In the middle of a training, saving becomes impossible and possible again. Neither ends it, and both are told
    /// of.
    @Test func trainingGoesOnWhileNothingCanBeSaved() throws {
        let run = try run()
        run.saveInterval = .steps(1)
        let watch = SavingWatch(run)
        try run.train(on: data, observers: [watch])
        #expect(watch.events.count { $0.error == nil } == 1)
        let (failure, recovery) = (try #require(watch.events.first), try #require(watch.events.last))
        #expect(failure.error?.path.hasPrefix(path) == true)
        #expect(failure.savedStep < failure.step)
        #expect("\(failure)".contains("training goes on"))
        #expect(recovery.error == nil)
        #expect(recovery.savedStep == recovery.step)
        let unbroken = try self.run("unbroken")
        try unbroken.train(on: data)
        #expect(try Run(resuming: path).digest == unbroken.digest)
        #expect(
            try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n").count
                == settings.epochs)
    }

    @Test func aRunThatCannotBeSavedAtItsEndIsAnError() throws {
        let run = try run()
        let watch = SavingWatch(run, repairs: false)
        #expect(throws: CheckpointError.self) { try run.train(on: data, observers: [watch]) }
        try watch.repair()
        #expect(try Run(resuming: path).trainer.position.step == 0)
    }

    /// What could not be saved at the end is saved by the next training of the same object.
    @Test func linesThatCouldNotBeSavedAreKept() throws {
        let run = try run()
        let watch = SavingWatch(run, repairs: false)
        #expect(throws: CheckpointError.self) { try run.train(on: data, observers: [watch]) }
        try watch.repair()
        run.extend(toEpochs: 5)
        try run.train(on: data)
        let lines = try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.map { $0.prefix(27) } == (1...5).map { "{\"event\":\"epoch\",\"epoch\":\($0)," })
        let resumed = try Run(resuming: path)
        #expect(resumed.digest == run.digest)
        #expect(resumed.metricsDamage == nil)
    }

    /// A line of the metrics is damaged: the others are kept, and so is the damaged file.
    @Test func damagedMetricsAreAnnouncedAndSetAside() throws {
        try run().train(on: data, maxSteps: 15)
        let file = URL(fileURLWithPath: "\(path)/metrics.jsonl")
        var damaged = try Data(contentsOf: file)
        damaged[0] ^= 1
        try damaged.write(to: file)
        let resumed = try Run(resuming: path)
        #expect(resumed.damage.isEmpty)
        #expect(
            resumed.metricsDamage
                == .content(
                    path: file.path, offset: 0, expected: "a line for each of the epochs 1 to 2",
                    found: "1 of them and others"))
        #expect(try Data(contentsOf: file) == damaged)
        try resumed.train(on: data)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/metrics-damaged.jsonl")) == damaged)
        #expect(try String(contentsOf: file, encoding: .utf8).split(separator: "\n").count == settings.epochs - 1)
        // The epoch stays without a line, but nothing is set aside again.
        let again = try Run(resuming: path)
        #expect(again.metricsDamage != nil)
        try again.train(on: data)
        #expect(!FileManager.default.fileExists(atPath: "\(path)/metrics-damaged-2.jsonl"))
    }

    @Test func nobodyElseMayTrainIt() throws {
        let (first, second) = (try run(), try run())
        var error: (any Error)?
        let intruder = Intruder { do { try second.train(on: data) } catch let found { error = found } }
        try first.train(on: data, observers: [intruder], maxSteps: 2)
        #expect(error as? RunInUse == RunInUse(directory: path, processID: getpid()))
        // Nor go on from where it isn't any more.
        #expect(throws: CheckpointError.self) { try second.train(on: data) }
        #expect(try Run(resuming: path).trainer.position.step == 2)
    }

    @Test func anotherComputationIsAnnounced() {
        let saved = ["instructions: avx2", "conv2d: winograd"]
        #expect(Run.change(from: saved, to: saved) == nil)
        func text(_ difference: String) -> String {
            "the run was computed otherwise before (\(difference)), so its bits will not be those of an unbroken run"
        }
        #expect(Run.change(from: saved, to: ["instructions: avx2", "conv2d: direct"]) == text("now conv2d: direct"))
        #expect(Run.change(from: saved, to: ["instructions: avx2"]) == text("before conv2d: winograd"))
        #expect(Run.change(from: saved, to: saved.reversed()) == text("now in another order"))
    }
}

/// Makes a run's directory unusable for saving after the second step, by moving it away, and moves it back at the end
/// of the second epoch.
///
/// Saving goes on beside training, so each step waits until no save is running: what fails, and when that is told,
/// depends on no clock.
private final class SavingWatch: TrainingObserver {
    private let run: Run
    private let repairs: Bool
    private(set) var events: [SavingEvent] = []

    init(_ run: Run, repairs: Bool = true) {
        (self.run, self.repairs) = (run, repairs)
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        run.saving?.writer.wait()
        if event.step == 2 { try FileManager.default.moveItem(atPath: run.directory, toPath: run.directory + "-away") }
        return .proceed
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        run.saving?.writer.wait()
        if event.epoch == 1, repairs { try repair() }
        return .proceed
    }

    func repair() throws { try FileManager.default.moveItem(atPath: run.directory + "-away", toPath: run.directory) }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws { events.append(event) }
}

/// Does something after the first step.
private final class Intruder: TrainingObserver {
    private let body: () -> Void

    init(_ body: @escaping () -> Void) { self.body = body }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        if event.step == 1 { body() }
        return .proceed
    }
}
