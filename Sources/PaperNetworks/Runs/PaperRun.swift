import Foundation
import LinkedNet

/// A ``LinkedNet/Run`` of one of the paper's networks, saved together with its ``RunSettings``. The settings are enough
/// to make the network and the trainer again, and to find the data.
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
    /// The run itself: directory, trainer, best score, and the damage of the files.
    public let run: Run
    /// The SHA-256 of the images that the run trains on: ``LinkedNet/Dataset/fingerprint``.
    public let dataFingerprint: String

    /// Begins a run: compiles the network and makes the directory.
    ///
    /// - Parameters:
    ///   - data: the data to train and test on.
    ///   - directory: a directory without a run; `nil` for the first of `runs/model-activation-1`, `…-2`, … that
    ///     doesn't exist.
    /// - Throws: ``SettingsError`` if `directory` holds a run, or for settings that can't be saved,
    ///   ``LinkedNet/CheckpointError`` if the directory can't be made, ``LinkedNet/ShapeError``,
    ///   ``LinkedNet/OutOfMemory``.
    public init(_ settings: RunSettings, data: DataSource, directory: String? = nil) throws {
        var settings = try settings.validated()
        settings.data = data.argument
        let images = settings.trainingImages(of: data)
        if let directory { try Self.checkIsNew(directory) }
        let network = try settings.network(imageShape: images.imageShape, classCount: images.classCount)
        let trainer = try settings.trainer(network)
        let name = "\(settings.model.description.replacing(":", with: ""))-\(settings.activation.rawValue)"
        run = try Run(directory ?? Run.newDirectory("runs/\(name)"), trainer, metadata: RunText.of(settings))
        self.settings = settings
        dataFingerprint = images.fingerprint
    }

    /// Checks that a run can begin in a directory.
    ///
    /// - Throws: ``SettingsError`` if the name is empty, or the directory holds a run.
    public static func checkIsNew(_ directory: String) throws(SettingsError) {
        guard !directory.isEmpty else {
            throw SettingsError(setting: "output", expected: "a directory", found: "an empty name")
        }
        guard !Run.exists(in: directory) else {
            throw SettingsError(
                setting: "output", expected: "a directory without a run (--resume \(directory) continues it)",
                found: directory)
        }
    }

    /// Opens a saved run at the newest checkpoint that is whole.
    ///
    /// - Throws: ``LinkedNet/CheckpointError`` if no checkpoint is whole, or if the run's network isn't one of the
    ///   paper's networks, ``LinkedNet/WeightsMismatch``, ``LinkedNet/OutOfMemory``.
    public init(resuming directory: String) throws {
        let saved = try SavedPaperRun(newestIn: directory)
        run = try Run(directory, saved.settings.trainer(saved.network))
        settings = saved.settings
        dataFingerprint = saved.record.dataFingerprint
    }

    /// Reads the data that the run was begun with, or the same data from another place.
    ///
    /// - Parameter argument: the argument of ``DataSource/resolve(_:workingDirectory:)``; `nil` for the place where the
    ///   data was.
    /// - Throws: ``SettingsError`` if `argument` is `nil` and the run was begun with data without a name,
    ///   ``LinkedNet/DataError`` if the data can't be read, ``LinkedNet/TrainingError`` if the data isn't the run's
    ///   data.
    public func data(_ argument: String? = nil) throws -> DataSource {
        let source = try argument.map { try DataSource.resolve($0) } ?? settings.ownData(of: run.directory)
        try settings.check(source, fingerprint: dataFingerprint, of: run.directory)
        return source
    }

    /// Gives the run at least this many epochs.
    ///
    /// - Parameter schedule: the schedule of the added epochs, as if training began with these epochs. `nil` goes on
    ///   with the run's schedule; a schedule that has come to its end keeps its final rate
    ///   (``RunSettings/scheduleWarning``).
    public func extend(toEpochs epochs: Int, schedule: LearningRateSchedule? = nil) {
        guard epochs > settings.epochs else { return }
        if let schedule {
            settings.schedule = settings.schedule.followed(by: schedule, fromEpoch: settings.epochs)
            run.trainer.schedule = settings.schedule
        }
        settings.epochs = epochs
    }

    /// Trains until the run's epochs are complete, an observer stops the training, or `maxSteps` steps are done. Then
    /// saves the run: ``LinkedNet/Run/fit(_:test:epochs:batchSize:sampler:augmentation:seed:observers:maxSteps:)``.
    ///
    /// - Parameters:
    ///   - data: the data that the run trained on before.
    ///   - observers: observers besides the trainer's own observers.
    ///   - maxSteps: the largest number of steps of this call. Steps of earlier calls don't count.
    /// - Throws: ``LinkedNet/TrainingError`` if the data isn't the same data as before, and the errors of fit.
    @discardableResult
    public func train(
        on data: DataSource, observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        try settings.check(data, fingerprint: dataFingerprint, of: run.directory)
        // The data may have moved since the run was begun.
        settings.data = data.argument ?? settings.data
        run.metadata = try RunText.of(settings)
        return try run.fit(
            settings.trainingImages(of: data), test: settings.testImages(of: data), epochs: settings.epochs,
            batchSize: settings.batchSize, sampler: settings.sampler, augmentation: settings.augmentation,
            seed: settings.seed, observers: observers, maxSteps: maxSteps)
    }
}
