import LinkedNet

/// A saved run of one of the paper's networks, opened to be looked at: its settings and its weights, not the state of
/// its training.
public struct SavedPaperRun {
    /// The settings that decided every bit of the run.
    public let settings: RunSettings
    /// Its network with the saved weights.
    public let network: Network
    private let saved: SavedRun
    private let path: String

    /// The run's record.
    public var record: RunRecord { saved.record }
    /// The damage of checkpoints that are newer than the opened one.
    public var damage: [CheckpointError] { saved.damage }

    /// Opens a run: the newest of its checkpoints that is whole. It may be in training.
    ///
    /// - Parameter path: the run's directory, or a file of it: a checkpoint, `best.safetensors`.
    /// - Throws: ``LinkedNet/CheckpointError`` if there is no checkpoint of a run of one of these networks that is
    ///   whole, ``LinkedNet/WeightsMismatch``, ``LinkedNet/OutOfMemory``.
    public init(_ path: String) throws {
        try self.init(SavedRun(path), path: path)
    }

    /// As ``init(_:)``, of a directory only.
    init(newestIn directory: String) throws {
        try self.init(SavedRun(directory: directory), path: directory)
    }

    private init(_ saved: SavedRun, path: String) throws {
        (self.saved, self.path) = (saved, path)
        settings = try RunText.settings(of: saved.file.metadata, record: saved.record, path: saved.file.path)
        do {
            network = try saved.network(
                settings.makeModel(classCount: saved.record.classCount), batch: settings.batchSize)
        } catch let error as ShapeError {
            throw CheckpointError.content(
                path: saved.file.path, offset: nil, expected: "the checkpoint of a run",
                found: "settings of no network: \(error)")
        }
    }

    /// Reads the data that the run was trained and tested on.
    ///
    /// - Throws: ``SettingsError`` if it was data without a name, ``LinkedNet/DataError`` if it isn't there any more,
    ///   ``LinkedNet/TrainingError`` if there are other images now.
    public func data() throws -> DataSource {
        let source = try settings.ownData(of: path)
        try settings.check(source, fingerprint: record.dataFingerprint, of: path)
        return source
    }

    /// Says that a data set has other classes than the run has learned: ``LinkedNet/SavedRun/classWarning(about:)``.
    public func classWarning(about dataset: any Dataset) -> String? { saved.classWarning(about: dataset) }

    /// Loss and hits on a data set: ``LinkedNet/Trainer/evaluate(_:)``.
    ///
    /// - Parameter progress: called after each batch.
    public func evaluate(
        on dataset: any Dataset, progress: (EvaluationEvent) -> Void = { _ in }
    ) throws -> EvaluationResult {
        // Evaluating updates nothing, so any optimizer will do; plain SGD keeps no slots.
        try Trainer(network, optimizer: SGD(learningRate: 1)).evaluate(dataset, progress: progress)
    }

    /// The dead neurons of each layer, over the images that the run trained on, of those that `source` has:
    /// ``LinkedNet/Trainer/deadNeurons(_:on:)``.
    public func deadNeurons(on source: DataSource) throws -> [DeadNeurons] {
        try Trainer(network, optimizer: SGD(learningRate: 1)).deadNeurons(
            settings.probe(of: network), on: settings.trainingImages(of: source))
    }
}
