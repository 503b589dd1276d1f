import Foundation

/// A training run with a directory of its own, in which it is saved and from which it can be resumed.
///
/// - `checkpoint.safetensors` holds everything: weights, states, optimizer slots, position, settings, best score. Written before the first step, after every
///   epoch, and when training ends.
/// - `metrics.jsonl` gets a line for each epoch: ``EpochResult/jsonLine``.
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
    /// Its network and position.
    public let trainer: Trainer
    /// The best epoch so far, by test accuracy.
    public private(set) var best: BestScore

    private var savedPosition: TrainingPosition?

    /// Begins a run: compiles its network and makes its directory.
    ///
    /// - Parameters:
    ///   - data: what it will train on.
    ///   - directory: must not hold a run; `nil` for the first of `runs/model-activation-1`, `…-2`, … that isn't there.
    /// - Throws: ``SettingsError`` if `directory` holds a run, or for settings that can't be saved, ``CheckpointError`` if it can't be made, ``ShapeError``, ``OutOfMemory``.
    public init(_ settings: RunSettings, data: DataSource, directory: String? = nil) throws {
        var settings = try settings.validated()
        settings.data = data.argument
        let images = settings.trainingImages(of: data)
        let network = try settings.network(imageShape: images.imageShape, classCount: images.classCount)
        trainer = try settings.trainer(network)
        self.settings = settings
        dataFingerprint = images.fingerprint
        best = BestScore(.testAccuracy)
        self.directory = try RunDirectory.create(
            directory, base: "\(settings.model.description.replacing(":", with: ""))-\(settings.activation.rawValue)")
    }

    /// Opens a saved run where it stands.
    ///
    /// - Throws: ``CheckpointError`` if its checkpoint can't be read or isn't one, ``WeightsMismatch``, ``ShapeError``, ``OutOfMemory``.
    public init(resuming directory: String) throws {
        let file = try SafetensorsFile(RunDirectory.checkpoint(directory))
        let record = try RunRecord(file)
        settings = record.settings
        dataFingerprint = record.dataFingerprint
        best = record.best
        self.directory = directory
        let network = try record.settings.network(
            imageShape: Shape(record.imageShape), classCount: record.classCount, weights: file)
        trainer = try record.settings.trainer(network)
        try trainer.resume(from: file)
        savedPosition = trainer.position
    }

    /// The SHA-256 of all weights: ``WeightsDigest``.
    public var digest: String { WeightsDigest.sha256(of: trainer.network.borrowedWeights) }

    /// Reads the data that the run was begun with, or the same data from elsewhere.
    ///
    /// - Parameter argument: what ``DataSource/resolve(_:workingDirectory:)`` takes; `nil` for where the data was.
    /// - Throws: ``SettingsError`` if the run was begun with data without a name, ``DataError`` if it can't be read, ``TrainingError`` if it is other data.
    public func data(_ argument: String? = nil) throws -> DataSource {
        let source = try argument.map { try DataSource.resolve($0) } ?? settings.ownData(of: directory)
        try settings.check(source, fingerprint: dataFingerprint, of: directory)
        return source
    }

    /// Gives the run at least this many epochs.
    public func extend(toEpochs epochs: Int) {
        settings.epochs = max(settings.epochs, epochs)
    }

    /// Trains until the run's epochs are complete, an observer stops it, or `maxSteps` steps are done, and saves it then.
    ///
    /// An error in the middle of an epoch, but for NaN and files that can't be written, leaves the run saved as far as it came.
    ///
    /// - Parameters:
    ///   - data: what the run trained on before.
    ///   - observers: who is told besides the trainer's own.
    ///   - maxSteps: the largest number of steps now, those of earlier calls not counted.
    /// - Throws: ``TrainingError`` if the data is another than before; what ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)`` and
    ///   ``Trainer/save(to:metadata:)`` throw.
    @discardableResult
    public func train(
        on data: DataSource, observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        let images = settings.trainingImages(of: data)
        try settings.check(data, fingerprint: dataFingerprint, of: directory)
        // The data may have moved since.
        settings.data = data.argument ?? settings.data
        let own = trainer.observers
        // The run comes first, so that an epoch is saved before anyone hears of it.
        trainer.observers = [self] + own + observers
        defer { trainer.observers = own }
        do {
            return try trainer.fit(
                images, test: data.test, epochs: settings.epochs, batchSize: settings.batchSize,
                sampler: settings.sampler, augmentation: settings.augmentation, seed: settings.seed, maxSteps: maxSteps)
        } catch {
            saveIfPossible(after: error)
            throw error
        }
    }

    /// Keeps what was done since the last save, if training had begun and the error doesn't concern weights or files.
    private func saveIfPossible(after error: any Error) {
        if error is CheckpointError { return }
        if case TrainingError.nonFinite = error { return }
        guard let savedPosition, savedPosition != trainer.position else { return }
        // The error to report is the one that ended training.
        try? save()
    }

    private func save() throws {
        let network = trainer.network
        let record = RunRecord(
            settings: settings, imageShape: network.inputShape.dimensions,
            classCount: network.outputShape.elementCount, dataFingerprint: dataFingerprint, best: best)
        try trainer.save(to: RunDirectory.checkpoint(directory), metadata: record.metadata())
        savedPosition = trainer.position
    }
}

extension Run: TrainingObserver {
    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws {
        try RunDirectory.removeTemporaries(directory)
        // A run killed between an epoch's line and its checkpoint trains that epoch again.
        try RunDirectory.keepMetrics(directory, epochs: event.position.epoch)
        if savedPosition == nil { try save() }
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        // Before the epoch's line: without a checkpoint the epoch doesn't count.
        try trainer.checkWeights()
        best.consider(event)
        try RunDirectory.appendMetrics(directory, line: event.jsonLine)
        try save()
        return .proceed
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        if savedPosition != trainer.position { try save() }
    }
}
