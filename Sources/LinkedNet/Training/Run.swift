import Foundation

/// A training run with a directory of its own, in which it is saved and from which it can be resumed.
///
/// - `checkpoint-000000001.safetensors` and so on hold everything: weights, states, optimizer slots, position,
///   settings, best score. One is written before the first step, after every epoch, at each ``saveInterval``, and when
///   training ends; the two newest are kept, and `latest` names the newest.
/// - `metrics.jsonl` gets a line for each epoch: ``EpochResult/jsonLine``.
/// - `lock` keeps a second process from training the same run.
///
/// Saving goes on beside training. If it fails, so does that one save: observers hear of it
/// (``TrainingObserver/savingChanged(_:_:)``), and the next one is a new file. Only the first and the last save of a
/// training throw.
///
/// ```swift
/// var options = RunOptions()
/// options.model = .depth
/// let data = try DataSource.resolve("shapes")
/// let run = try Run(options.settings(), data: data, directory: "runs/first")
/// try run.train(on: data)
/// // … another day, perhaps after an interruption:
/// let resumed = try Run(resuming: "runs/first")
/// try resumed.train(on: resumed.data())
/// ```
public final class Run {
    /// Where the run is saved.
    public let directory: String
    /// What decides what it computes.
    public private(set) var settings: RunSettings
    /// The SHA-256 of the images it trains on: ``Dataset/fingerprint``.
    public let dataFingerprint: String
    /// The names of the classes that it learns, for people; `nil` in a run of before they were saved, or if there are
    /// too many.
    public private(set) var classNames: [String]?
    /// Its network and position.
    public let trainer: Trainer
    /// The best epoch so far, by test accuracy.
    public private(set) var best: BestScore

    /// How often it is saved in the course of its training, besides the end of every epoch.
    public var saveInterval = SaveInterval.minutes(10)
    /// True to keep other processes off the run while it trains. Without that, nothing does: two at once damage it.
    public var locksDirectory = true
    /// What is wrong with checkpoints that are newer than the one it was resumed from. Training does the steps between
    /// them again.
    public let damage: [CheckpointError]
    /// What is wrong with the metrics of the run that was resumed: epochs without a line, or other lines. Training
    /// keeps the lines that are right; of a file with others it leaves a copy, `metrics-damaged.jsonl`.
    public let metricsDamage: CheckpointError?
    /// Says that this process computes otherwise than the one that saved the run, so that its bits will differ; `nil`
    /// if it doesn't.
    public let computationChange: String?

    let generations: Generations
    /// Where the run stands on the disk; `nil` if it isn't there.
    var savedPosition: TrainingPosition?
    /// The metrics of epochs that no save has taken yet.
    var newLines: [String] = []
    /// The metrics as the last training left them, and what of them could not be saved.
    var metrics: LineFile?
    /// What saves the running training.
    var saving: (writer: CheckpointWriter, clock: SaveClock)?
    /// Why the last save failed, if it did: told of once.
    var lastFailure: CheckpointError?

    /// Begins a run: compiles its network and makes its directory.
    ///
    /// - Parameters:
    ///   - data: what it will train on.
    ///   - directory: must not hold a run; `nil` for the first of `runs/model-activation-1`, `…-2`, … that isn't there.
    /// - Throws: ``SettingsError`` if `directory` holds a run, or for settings that can't be saved, ``CheckpointError``
    ///   if it can't be made, ``ShapeError``, ``OutOfMemory``.
    public init(_ settings: RunSettings, data: DataSource, directory: String? = nil) throws {
        var settings = try settings.validated()
        settings.data = data.argument
        let images = settings.trainingImages(of: data)
        let network = try settings.network(imageShape: images.imageShape, classCount: images.classCount)
        trainer = try settings.trainer(network)
        self.settings = settings
        dataFingerprint = images.fingerprint
        classNames = RunRecord.savable(images.classNames)
        best = BestScore(.testAccuracy)
        (damage, metricsDamage, computationChange) = ([], nil, nil)
        let directory = try RunDirectory.create(
            directory, base: "\(settings.model.description.replacing(":", with: ""))-\(settings.activation.rawValue)")
        self.directory = directory
        generations = Generations(directory)
    }

    /// True if a run is saved in `directory`, so that it can be resumed.
    public static func exists(in directory: String) -> Bool { Generations(directory).exist }

    /// Opens a saved run where it stands: the newest checkpoint that is whole.
    ///
    /// - Throws: ``CheckpointError`` if there is none, ``WeightsMismatch``, ``OutOfMemory``.
    public init(resuming directory: String) throws {
        try RunPlace.requireRun(in: directory)
        generations = Generations(directory)
        let (file, damage) = try generations.open()
        let record = try RunRecord(file)
        settings = record.settings
        dataFingerprint = record.dataFingerprint
        classNames = record.classNames
        best = record.best
        self.directory = directory
        let network = try record.settings.network(
            imageShape: Shape(record.imageShape), classCount: record.classCount, weights: file)
        trainer = try record.settings.trainer(network)
        self.damage = damage
        computationChange = record.computation.flatMap { Self.change(from: $0, to: Self.computation(network)) }
        try trainer.resume(from: file)
        savedPosition = trainer.position
        metricsDamage = RunMetrics.damage(directory, epochs: trainer.position.epoch)
    }

    /// The SHA-256 of all weights: ``WeightsDigest``.
    public var digest: String { WeightsDigest.sha256(of: trainer.network.borrowedWeights) }

    /// Reads the data that the run was begun with, or the same data from elsewhere.
    ///
    /// - Parameter argument: what ``DataSource/resolve(_:workingDirectory:)`` takes; `nil` for where the data was.
    /// - Throws: ``SettingsError`` if the run was begun with data without a name, ``DataError`` if it can't be read,
    ///   ``TrainingError`` if it is other data.
    public func data(_ argument: String? = nil) throws -> DataSource {
        let source = try argument.map { try DataSource.resolve($0) } ?? settings.ownData(of: directory)
        try settings.check(source, fingerprint: dataFingerprint, of: directory)
        return source
    }

    /// With how many updates the run is on the disk; `nil` if it isn't there.
    public var savedStep: Int? { savedPosition?.step }

    /// Gives the run at least this many epochs.
    ///
    /// - Parameter schedule: how the learning rate changes in the epochs that are added, as if training began with
    ///   them; `nil` goes on with the run's schedule, at its final rate if it has come to its end
    ///   (``RunSettings/scheduleWarning``).
    public func extend(toEpochs epochs: Int, schedule: LearningRateSchedule? = nil) {
        guard epochs > settings.epochs else { return }
        if let schedule {
            settings.schedule = settings.schedule.followed(by: schedule, fromEpoch: settings.epochs)
            trainer.schedule = settings.schedule
        }
        settings.epochs = epochs
    }

    /// Trains until the run's epochs are complete, an observer stops it, or `maxSteps` steps are done, and saves it
    /// then.
    ///
    /// An error in the middle of an epoch, but for NaN, leaves the run saved as far as it came, if its directory can be
    /// written.
    ///
    /// - Parameters:
    ///   - data: what the run trained on before.
    ///   - observers: who is told besides the trainer's own.
    ///   - maxSteps: the largest number of steps now, those of earlier calls not counted.
    /// - Throws: ``TrainingError`` if the data is another than before, ``RunInUse`` if another process trains the run;
    ///   what ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)`` and
    ///   ``Trainer/save(to:metadata:)`` throw.
    @discardableResult
    public func train(
        on data: DataSource, observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        let images = settings.trainingImages(of: data)
        try settings.check(data, fingerprint: dataFingerprint, of: directory)
        // The data may have moved since.
        settings.data = data.argument ?? settings.data
        classNames = RunRecord.savable(images.classNames)
        // Nobody may go on with the run beside this, or have gone on with it since it was opened.
        let lock = locksDirectory ? try DirectoryLock(directory) : nil
        defer { withExtendedLifetime(lock) {} }
        try generations.requireUnchanged()
        let own = trainer.observers
        // The run comes first, so that others hear of an epoch that counts.
        trainer.observers = [self] + own + observers
        defer { (trainer.observers, saving) = (own, nil) }
        do {
            return try trainer.fit(
                images, test: settings.testImages(of: data), epochs: settings.epochs, batchSize: settings.batchSize,
                sampler: settings.sampler, augmentation: settings.augmentation, seed: settings.seed, maxSteps: maxSteps)
        } catch {
            saveIfPossible(after: error)
            throw error
        }
    }
}

extension Run: TrainingObserver {
    public var watchedMetrics: [Metric] { [best.metric] }

    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws {
        try RunDirectory.removeTemporaries(directory)
        try beginSaving(event)
    }

    public func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        try saveIfDue(step: event.step)
        return .proceed
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        best.consider(event)
        newLines.append(event.jsonLine)
        saving?.clock.isPending = true
        try saveIfDue(step: event.step)
        return .proceed
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        try endSaving()
    }
}
