import LinkedNet

/// A saved run of one of the paper's networks, opened to be looked at: the settings and the weights, not the state of
/// the training.
public struct SavedPaperRun {
    /// The settings that decided every bit of the run.
    public let settings: RunSettings
    /// The network with the saved weights.
    public let network: Network
    private let saved: SavedRun
    private let path: String

    /// The run's record.
    public var record: RunRecord { saved.record }
    /// The damage of checkpoints that are newer than the opened one.
    public var damage: [CheckpointError] { saved.damage }

    /// Opens a run at the newest checkpoint that is whole. The run may be in training.
    ///
    /// - Parameter path: the run's directory, or a file in this directory: a checkpoint or `best.safetensors`.
    /// - Throws: ``LinkedNet/CheckpointError`` if no checkpoint is whole, or if the run's network isn't one of the
    ///   paper's networks, ``LinkedNet/WeightsMismatch``, ``LinkedNet/OutOfMemory``.
    public init(_ path: String) throws {
        try self.init(SavedRun(path), path: path)
    }

    /// As ``init(_:)``, but for a directory only.
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
    /// - Throws: ``SettingsError`` if the data has no name, ``LinkedNet/DataError`` if the data can't be read any more,
    ///   ``LinkedNet/TrainingError`` if the data's place has other images now.
    public func data() throws -> DataSource {
        let source = try settings.ownData(of: path)
        try settings.check(source, fingerprint: record.dataFingerprint, of: path)
        return source
    }

    /// A warning about a data set with other classes than the run has learned:
    /// ``LinkedNet/SavedRun/classWarning(about:)``.
    public func classWarning(about dataset: any Dataset) -> String? { saved.classWarning(about: dataset) }

    /// The loss and the correct images on a data set: ``LinkedNet/Trainer/evaluate(_:)``.
    ///
    /// - Parameter progress: called after each batch.
    public func evaluate(
        on dataset: any Dataset, progress: (EvaluationEvent) -> Void = { _ in }
    ) throws -> EvaluationResult {
        // An evaluation updates nothing, so the choice of the optimizer has no effect. Plain SGD keeps no slots.
        try Trainer(network, optimizer: SGD(learningRate: 1)).evaluate(dataset, progress: progress)
    }

    /// The dead neurons of each layer, over the images of `source` that the run's settings choose for training:
    /// ``LinkedNet/Trainer/deadNeurons(_:on:)``.
    public func deadNeurons(on source: DataSource) throws -> [DeadNeurons] {
        try Trainer(network, optimizer: SGD(learningRate: 1)).deadNeurons(
            settings.probe(of: network), on: settings.trainingImages(of: source))
    }
}
