/// A saved run, opened to be looked at: its settings and its weights, not the state of its training.
public struct SavedRun {
    /// What decided what it computed.
    public let settings: RunSettings
    /// Its network with the saved weights.
    public let network: Network
    /// What is wrong with checkpoints that are newer than the one that was opened.
    public let damage: [CheckpointError]
    private let path: String
    private let dataFingerprint: String
    private let classNames: [String]?

    /// Opens a run: the newest of its checkpoints that is whole. It may be in training.
    ///
    /// - Parameter path: the run's directory, or a checkpoint itself.
    /// - Throws: ``CheckpointError`` if there is no run's checkpoint that is whole, ``WeightsMismatch``,
    ///   ``OutOfMemory``.
    public init(_ path: String) throws {
        let (file, damage) = try Self.open(path)
        self.damage = damage
        let record = try RunRecord(file)
        settings = record.settings
        self.path = path
        dataFingerprint = record.dataFingerprint
        classNames = record.classNames
        network = try settings.network(
            imageShape: Shape(record.imageShape), classCount: record.classCount, weights: file)
        try network.loadWeights(from: file)
    }

    /// Reads the data that the run was trained and tested on.
    ///
    /// - Throws: ``SettingsError`` if it was data without a name, ``DataError`` if it isn't there any more,
    ///   ``TrainingError`` if there are other images now.
    public func data() throws -> DataSource {
        let source = try settings.ownData(of: path)
        try settings.check(source, fingerprint: dataFingerprint, of: path)
        return source
    }

    /// Says that a data set has other classes than the run has learned, by their names; `nil` if it hasn't, or if the
    /// run doesn't know its names.
    public func classWarning(about dataset: any Dataset) -> String? {
        guard let classNames, classNames != dataset.classNames else { return nil }
        func text(_ names: [String]) -> String {
            (names.prefix(3).map { $0.printable(longest: 40) } + (names.count > 3 ? ["…"] : [])).joined(separator: ", ")
        }
        return "the run learned the classes \(text(classNames)), and \(dataset.name.printable()) has "
            + "\(text(dataset.classNames)): its labels may mean something else"
    }

    /// Loss and hits on a data set: ``Trainer/evaluate(_:)``.
    ///
    /// - Parameter progress: called after each batch.
    public func evaluate(
        on dataset: any Dataset, progress: (EvaluationEvent) -> Void = { _ in }
    ) throws -> EvaluationResult {
        // Evaluating updates nothing, so any optimizer will do; plain SGD keeps no slots.
        try Trainer(network, optimizer: SGD(learningRate: 1)).evaluate(dataset, progress: progress)
    }

    /// The dead neurons of each layer, over the images that the run trained on, of those that `source` has:
    /// ``Trainer/deadNeurons(_:on:)``.
    public func deadNeurons(on source: DataSource) throws -> [DeadNeurons] {
        try Trainer(network, optimizer: SGD(learningRate: 1)).deadNeurons(
            settings.probe(of: network), on: settings.trainingImages(of: source))
    }

    /// The ``WeightsDigest`` of the weights of a run, or of a file of weights, without compiling its network. Tensors
    /// of no floats, and those without elements, are no weights.
    ///
    /// - Parameters:
    ///   - path: the run's directory, or the file.
    ///   - warn: called with what is wrong with newer checkpoints than the one that is used.
    /// - Throws: ``CheckpointError`` if it can't be read.
    public static func digest(
        _ path: String, warn: ([CheckpointError]) -> Void = { _ in }
    ) throws(CheckpointError) -> String {
        let (file, damage) = try open(path)
        warn(damage)
        return try WeightsDigest.sha256(of: file) { file[$0]?.canBeWeight == true }
    }

    /// The checkpoint of a run that is given by its directory or by the checkpoint.
    private static func open(_ path: String) throws(CheckpointError) -> (
        file: SafetensorsFile, damage: [CheckpointError]
    ) {
        if RegularFile.isDirectory(path) {
            try RunPlace.requireRun(in: path)
            return try Generations(path).open()
        }
        let expected = "the directory of a run, or one of its checkpoints"
        try RunPlace.requireAnything(at: path, expected)
        let file: SafetensorsFile
        do {
            file = try SafetensorsFile(path)
        } catch {
            // A file that is no checkpoint is more likely than a damaged one.
            guard case .content(let path, let offset, let detail, let found) = error else { throw error }
            throw .content(path: path, offset: offset, expected: "\(expected): \(detail)", found: found)
        }
        try file.verifyChecksum(isRequired: false)
        return (file, [])
    }
}
