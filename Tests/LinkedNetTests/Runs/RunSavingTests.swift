import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// A run's directory before, during and after training.
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

    /// A new run, or the existing run.
    private func run(_ name: String = "run") throws -> Run {
        let network = try settings.network(imageShape: [8, 8, 1], classCount: 10)
        return try Run("\(directory.path)/\(name)", settings.trainer(network))
    }

    private func checkpoints() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix("checkpoint") }.sorted()
    }

    @Test func twoCheckpointsAreKept() throws {
        let run = try self.run()
        run.saveInterval = .steps(1)
        try run.train(on: data)
        let kept = try checkpoints()
        #expect(kept.count == 2)
        #expect(try String(contentsOfFile: "\(path)/latest", encoding: .utf8) == "\(kept[1])\n")
    }

    /// A run that is stopped at any step, and resumed with another number of threads, ends with the unbroken run's
    /// weights and best score.
    @Test(arguments: [1, 3, 7, 8, 13, 20, 27], [1, 3])
    func resumingIsExact(step: Int, threads: Int) throws {
        let unbroken = try run("unbroken")
        try unbroken.train(on: data)
        try self.run().train(on: data, maxSteps: step)
        try Runtime.withThreadCount(threads) {
            let resumed = try self.run()
            #expect(resumed.trainer.position.step == step)
            try resumed.train(on: data)
            #expect(resumed.digest == unbroken.digest)
            #expect(resumed.best == unbroken.best)
        }
    }

    /// A run that is resumed from an older checkpoint repeats the steps between, and ends with the same weights.
    @Test func damageIsAnnouncedAndRepaired() throws {
        let unbroken = try run("unbroken")
        try unbroken.train(on: data)
        try self.run().train(on: data, maxSteps: 5)
        try self.run().train(on: data, maxSteps: 6)
        let newest = try #require(try checkpoints().last)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(newest)"))
        bytes[bytes.count - 3] ^= 4
        try bytes.write(to: URL(fileURLWithPath: "\(path)/\(newest)"))
        #expect(try SavedRun(path).damage.map(\.path) == ["\(path)/\(newest)"])
        let resumed = try self.run()
        #expect(resumed.damage.map(\.path) == ["\(path)/\(newest)"])
        #expect(resumed.trainer.position.step < 11)
        try resumed.train(on: data)
        #expect(resumed.digest == unbroken.digest)
        #expect(resumed.best == unbroken.best)
        #expect(try SavedRun(path).damage.isEmpty)
    }

    /// In the middle of a training, saving becomes impossible and possible again. The training goes on, and the log
    /// reports both changes.
    @Test func trainingGoesOnWhileNothingCanBeSaved() throws {
        let run = try self.run()
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
        #expect(try self.run().digest == unbroken.digest)
        #expect(
            try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n").count
                == settings.epochs)
    }

    /// The interval is an hour, but a failed save is tried again after a minute.
    @Test func aFailedSaveIsTriedAgainEarly() throws {
        let run = try self.run()
        run.saveInterval = .minutes(60)
        let retry = EarlyRetry(run)
        try run.train(on: data, observers: [retry], maxSteps: 6)
        #expect(retry.savedSteps == [0, 0, 0, 0, 0, 5])
        #expect(retry.events.map { $0.error == nil } == [false, true])
        #expect(retry.events.map(\.step) == [2, 5])
    }

    /// An epoch ends while a save is running, and a weight becomes NaN before the next save. The epoch's line stays.
    @Test func anEpochsLineOutlivesWeightsThatAreNoNumbers() throws {
        let run = try self.run()
        run.saveInterval = .steps(6)
        let damage = DamageDuringSave(run)
        #expect(throws: TrainingError.self) { try run.train(on: data, observers: [damage]) }
        #expect(damage.wasSaving)
        let lines = try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.map { $0.prefix(27) } == ["{\"event\":\"epoch\",\"epoch\":1,"])
        // The running save has finished.
        #expect(try self.run().trainer.position.step == 6)
    }

    /// An observer's request to save doesn't replace the checkpoint before, whose weights are good.
    @Test func weightsThatAreNoNumbersAreNotSavedBesideTraining() throws {
        let run = try run()
        run.saveInterval = .steps(1)
        #expect(throws: TrainingError.self) { try run.train(on: data, observers: [DamageBeforeSave(run)]) }
        let resumed = try self.run()
        #expect(resumed.trainer.position.step < 3)
        try resumed.trainer.checkWeights()
    }

    @Test func aRunThatCannotBeSavedAtItsEndIsAnError() throws {
        let run = try self.run()
        let watch = SavingWatch(run, repairs: false)
        #expect(throws: CheckpointError.self) { try run.train(on: data, observers: [watch]) }
        try watch.repair()
        #expect(try self.run().trainer.position.step == 0)
    }

    /// The next training of the same object saves the lines that could not be saved at the end.
    @Test func linesThatCouldNotBeSavedAreKept() throws {
        let run = try self.run()
        let watch = SavingWatch(run, repairs: false)
        #expect(throws: CheckpointError.self) { try run.train(on: data, observers: [watch]) }
        try watch.repair()
        try run.train(on: data, epochs: 5)
        let lines = try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.map { $0.prefix(27) } == (1...5).map { "{\"event\":\"epoch\",\"epoch\":\($0)," })
        let resumed = try self.run()
        #expect(resumed.digest == run.digest)
        #expect(resumed.metricsDamage == nil)
    }

    /// A line of the metrics is damaged. The other lines stay, and the damaged file is copied.
    @Test func damagedMetricsAreAnnouncedAndSetAside() throws {
        try self.run().train(on: data, maxSteps: 15)
        let file = URL(fileURLWithPath: "\(path)/metrics.jsonl")
        var damaged = try Data(contentsOf: file)
        damaged[0] ^= 1
        try damaged.write(to: file)
        let resumed = try self.run()
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
        // The epoch stays without a line, but no file is set aside again.
        let again = try self.run()
        #expect(again.metricsDamage != nil)
        try again.train(on: data)
        #expect(!FileManager.default.fileExists(atPath: "\(path)/metrics-damaged-2.jsonl"))
    }

    @Test func nobodyElseMayTrainIt() throws {
        let (first, second) = (try self.run(), try self.run())
        var error: (any Error)?
        let intruder = Intruder { do { try second.train(on: data) } catch let found { error = found } }
        try first.train(on: data, observers: [intruder], maxSteps: 2)
        #expect(error as? RunInUse == RunInUse(directory: path, processID: getpid()))
        // The second object can't train from a step that the run has passed.
        #expect(throws: CheckpointError.self) { try second.train(on: data) }
        #expect(try self.run().trainer.position.step == 2)
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

extension Run {
    @discardableResult
    fileprivate func train(
        on data: DataSource, epochs: Int = 4, observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        try fit(data.train, test: data.test, epochs: epochs, observers: observers, maxSteps: maxSteps)
    }
}

/// Moves a run's directory away after a step, the second by default, so that saving fails. Moves the directory back at
/// the end of the second epoch.
///
/// Saving runs beside training, so each step waits until no save is running. The failures and the moments of their
/// reports then depend on no clock.
private final class SavingWatch: TrainingObserver {
    private let run: Run
    private let repairs: Bool
    private let awayAfterStep: Int
    private(set) var events: [SavingEvent] = []

    init(_ run: Run, repairs: Bool = true, awayAfterStep: Int = 2) {
        (self.run, self.repairs, self.awayAfterStep) = (run, repairs, awayAfterStep)
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        run.saving?.writer.wait()
        if event.step == awayAfterStep {
            try FileManager.default.moveItem(atPath: run.directory, toPath: run.directory + "-away")
        }
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

/// Calls a closure after the first step.
private final class Intruder: TrainingObserver {
    private let body: () -> Void

    init(_ body: @escaping () -> Void) { self.body = body }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        if event.step == 1 { body() }
        return .proceed
    }
}

/// Makes a run's directory unusable while a save is due, and moves a clock that is independent of the time.
///
/// Each step waits until no save is running.
private final class EarlyRetry: TrainingObserver {
    private let run: Run
    private let watch: SavingWatch
    private var now = ContinuousClock.now
    /// The step of the checkpoint on the disk, after each of the steps 1 to 6, before the step's own save.
    private(set) var savedSteps: [Int] = []
    var events: [SavingEvent] { watch.events }

    init(_ run: Run) {
        self.run = run
        watch = SavingWatch(run, repairs: false, awayAfterStep: 1)
    }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        run.saving?.clock = SaveClock(run.saveInterval, step: event.position.step) { self.now }
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        _ = try watch.stepEnded(event, trainer)
        switch event.step {
        // The save of step 2 is the regular save, and fails.
        case 2: now += .seconds(3601)
        // The run learns of the failure at step 3, less than a minute later.
        case 3: now += .seconds(59)
        case 4:
            try watch.repair()
            now += .milliseconds(500)
        // The save is not due at step 4, but at step 5.
        case 5: now += .seconds(1)
        default: break
        }
        let directory = event.step < 4 ? run.directory + "-away" : run.directory
        let position = try Generations(directory).open().file.metadata["linkednet.position", default: ""]
        savedSteps.append(try JSONDecoder().decode(TrainingPosition.self, from: Data(position.utf8)).step)
        return .proceed
    }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws { try watch.savingChanged(event, trainer) }
}

/// Makes a weight NaN in step 3, and requests a save.
private final class DamageBeforeSave: TrainingObserver {
    private let run: Run

    init(_ run: Run) { self.run = run }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        guard event.step == 3 else { return .proceed }
        trainer.network.parameters[0] = .nan
        // A running save would delay this save.
        run.saving?.writer.wait()
        try run.requestSave()
        return .proceed
    }
}

/// Holds the save of step 6 back until step 8, where a weight becomes NaN; step 7 ends the epoch.
private final class DamageDuringSave: TrainingObserver {
    private let run: Run
    private let gate = SaveGate()
    private(set) var wasSaving = false

    init(_ run: Run) { self.run = run }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        let metrics = try #require(run.metrics)
        run.saving?.writer = try CheckpointWriter(
            run.generations, metrics: metrics, tensors: trainer.checkpointTensors, startThread: gate.hold)
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        guard event.step == 8 else { return .proceed }
        wasSaving = run.saving?.writer.isSaving == true
        trainer.network.parameters[0] = .nan
        gate.open()
        return .proceed
    }
}
