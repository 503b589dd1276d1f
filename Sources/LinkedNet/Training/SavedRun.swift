import Foundation

/// A saved run, opened to be looked at: its settings and its weights, not the state of its training.
public struct SavedRun {
    /// What decided what it computed.
    public let settings: RunSettings
    /// Its network with the saved weights.
    public let network: Network
    private let path: String
    private let dataFingerprint: String

    /// Opens a run.
    ///
    /// - Parameter path: the run's directory, or its checkpoint itself.
    /// - Throws: ``CheckpointError`` if there is no run's checkpoint that can be read, ``WeightsMismatch``, ``ShapeError``, ``OutOfMemory``.
    public init(_ path: String) throws {
        let file = try SafetensorsFile(Self.checkpoint(path))
        let record = try RunRecord(file)
        settings = record.settings
        self.path = path
        dataFingerprint = record.dataFingerprint
        network = try settings.network(
            imageShape: Shape(record.imageShape), classCount: record.classCount, weights: file)
        try network.loadWeights(from: file)
    }

    /// Reads the data that the run was trained and tested on.
    ///
    /// - Throws: ``SettingsError`` if it was data without a name, ``DataError`` if it isn't there any more, ``TrainingError`` if there are
    ///   other images now.
    public func data() throws -> DataSource {
        let source = try settings.ownData(of: path)
        try settings.check(source, fingerprint: dataFingerprint, of: path)
        return source
    }

    /// Loss and hits on a data set: ``Trainer/evaluate(_:)``.
    public func evaluate(on dataset: any Dataset) throws -> EvaluationResult {
        // Evaluating updates nothing, so any optimizer will do; plain SGD keeps no slots.
        try Trainer(network, optimizer: SGD(learningRate: 1)).evaluate(dataset)
    }

    /// The dead neurons of each layer, over the images that the run trained on, of those that `source` has: ``Trainer/deadNeurons(_:on:)``.
    public func deadNeurons(on source: DataSource) throws -> [DeadNeurons] {
        try Trainer(network, optimizer: SGD(learningRate: 1)).deadNeurons(
            settings.probe(of: network), on: settings.trainingImages(of: source))
    }

    /// The ``WeightsDigest`` of the weights of a run, or of a file of weights, without compiling its network.
    ///
    /// - Parameter path: the run's directory, or the file.
    /// - Throws: ``CheckpointError`` if it can't be read.
    public static func digest(_ path: String) throws(CheckpointError) -> String {
        try WeightsDigest.sha256(of: SafetensorsFile(checkpoint(path))) {
            !$0.hasPrefix(Network.optimizerTensorPrefix)
        }
    }

    /// The checkpoint of a run that is given by its directory or by the checkpoint.
    private static func checkpoint(_ path: String) -> String {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        return exists && isDirectory.boolValue ? RunDirectory.checkpoint(path) : path
    }
}
