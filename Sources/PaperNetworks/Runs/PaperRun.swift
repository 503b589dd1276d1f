import Foundation
import LinkedNet

/// A ``LinkedNet/Run`` of one of the paper's networks, which keeps its ``RunSettings`` with it: enough to make its
/// network and trainer again, and to find its data.
///
/// ```swift
/// var options = RunOptions()
/// options.model = .depth
/// let data = try DataSource.resolve("shapes")
/// let run = try PaperRun(options.settings(), data: data, directory: "runs/first")
/// try run.train(on: data)
/// // … another day, perhaps after an interruption:
/// let resumed = try PaperRun(resuming: "runs/first")
/// try resumed.train(on: resumed.data())
/// ```
public final class PaperRun {
    /// The settings that decide every bit of the run.
    public private(set) var settings: RunSettings
    /// The run itself: its directory, trainer, best score, and the damage of its files.
    public let run: Run
    /// The SHA-256 of the images it trains on: ``LinkedNet/Dataset/fingerprint``.
    public let dataFingerprint: String

    /// Begins a run: compiles its network and makes its directory.
    ///
    /// - Parameters:
    ///   - data: what it will train on.
    ///   - directory: must not hold a run; `nil` for the first of `runs/model-activation-1`, `…-2`, … that isn't there.
    /// - Throws: ``SettingsError`` if `directory` holds a run, or for settings that can't be saved,
    ///   ``LinkedNet/CheckpointError`` if it can't be made, ``LinkedNet/ShapeError``, ``LinkedNet/OutOfMemory``.
    public init(_ settings: RunSettings, data: DataSource, directory: String? = nil) throws {
        var settings = try settings.validated()
        settings.data = data.argument
        let images = settings.trainingImages(of: data)
        if let directory {
            guard !directory.isEmpty else {
                throw SettingsError(setting: "output", expected: "a directory", found: "an empty name")
            }
            guard !Run.exists(in: directory) else {
                throw SettingsError(
                    setting: "output", expected: "a directory without a run (--resume \(directory) continues it)",
                    found: directory)
            }
        }
        let network = try settings.network(imageShape: images.imageShape, classCount: images.classCount)
        let trainer = try settings.trainer(network)
        let name = "\(settings.model.description.replacing(":", with: ""))-\(settings.activation.rawValue)"
        run = try Run(directory ?? Run.newDirectory("runs/\(name)"), trainer, metadata: RunText.of(settings))
        self.settings = settings
        dataFingerprint = images.fingerprint
    }

    /// Opens a saved run where it stands: the newest checkpoint that is whole.
    ///
    /// - Throws: ``LinkedNet/CheckpointError`` if there is none, or it is a run of a network that isn't here,
    ///   ``LinkedNet/WeightsMismatch``, ``LinkedNet/OutOfMemory``.
    public init(resuming directory: String) throws {
        let saved = try SavedPaperRun(newestIn: directory)
        run = try Run(directory, saved.settings.trainer(saved.network))
        settings = saved.settings
        dataFingerprint = saved.record.dataFingerprint
    }

    /// Reads the data that the run was begun with, or the same data from elsewhere.
    ///
    /// - Parameter argument: what ``DataSource/resolve(_:workingDirectory:)`` takes; `nil` for where the data was.
    /// - Throws: ``SettingsError`` if the run was begun with data without a name, ``LinkedNet/DataError`` if it can't
    ///   be read, ``LinkedNet/TrainingError`` if it is other data.
    public func data(_ argument: String? = nil) throws -> DataSource {
        let source = try argument.map { try DataSource.resolve($0) } ?? settings.ownData(of: run.directory)
        try settings.check(source, fingerprint: dataFingerprint, of: run.directory)
        return source
    }

    /// Gives the run at least this many epochs.
    ///
    /// - Parameter schedule: how the learning rate changes in the epochs that are added, as if training began with
    ///   them; `nil` goes on with the run's schedule, at its final rate if it has come to its end
    ///   (``RunSettings/scheduleWarning``).
    public func extend(toEpochs epochs: Int, schedule: LearningRateSchedule? = nil) {
        guard epochs > settings.epochs else { return }
        if let schedule {
            settings.schedule = settings.schedule.followed(by: schedule, fromEpoch: settings.epochs)
            run.trainer.schedule = settings.schedule
        }
        settings.epochs = epochs
    }

    /// Trains until the run's epochs are complete, an observer stops it, or `maxSteps` steps are done, and saves it
    /// then: ``LinkedNet/Run/fit(_:test:epochs:batchSize:sampler:augmentation:seed:observers:maxSteps:)``.
    ///
    /// - Parameters:
    ///   - data: what the run trained on before.
    ///   - observers: who is told besides the trainer's own.
    ///   - maxSteps: the largest number of steps now, those of earlier calls not counted.
    /// - Throws: ``LinkedNet/TrainingError`` if the data is another than before, and what fit throws.
    @discardableResult
    public func train(
        on data: DataSource, observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        try settings.check(data, fingerprint: dataFingerprint, of: run.directory)
        // The data may have moved since.
        settings.data = data.argument ?? settings.data
        run.metadata = try RunText.of(settings)
        return try run.fit(
            settings.trainingImages(of: data), test: settings.testImages(of: data), epochs: settings.epochs,
            batchSize: settings.batchSize, sampler: settings.sampler, augmentation: settings.augmentation,
            seed: settings.seed, observers: observers, maxSteps: maxSteps)
    }
}
