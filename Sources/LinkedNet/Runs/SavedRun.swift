/// A saved run of any model, opened to be used or looked at: its weights and what it is, not the state of its training.
///
/// ```swift
/// let saved = try SavedRun("runs/mine")
/// let network = try saved.network(model, best: true)
/// ```
public struct SavedRun {
    /// The run's description, and all that a user of the network needs to know.
    public let record: RunRecord
    /// The damage of checkpoints that are newer than the opened one.
    public let damage: [CheckpointError]
    /// The checkpoint that was opened.
    public let file: SafetensorsFile
    /// The run's directory; `nil` if a file was given.
    private let directory: String?

    /// Opens a run: the newest of its checkpoints that is whole. It may be in training.
    ///
    /// - Parameter path: the run's directory, or a file of it: a checkpoint, `best.safetensors`.
    /// - Throws: ``CheckpointError`` if there is no run's checkpoint that is whole.
    public init(_ path: String) throws(CheckpointError) {
        (file, damage) = try Self.open(path)
        record = try RunRecord(file)
        directory = RegularFile.isDirectory(path) ? path : nil
    }

    /// As ``init(_:)``, of a directory alone: a file is an error that names the run it belongs to.
    public init(directory: String) throws(CheckpointError) {
        try RunPlace.requireRun(in: directory)
        try self.init(directory)
    }

    /// Compiles the run's network, and gives it the saved weights. Another network than the run's gets no memory.
    ///
    /// - Parameters:
    ///   - model: what the run trained.
    ///   - batch: the largest number of samples in a training step; `nil` for the run's.
    ///   - best: true for the weights of the best epoch, false for the newest.
    /// - Throws: ``WeightsMismatch`` if the run's network has other weights, ``RunMismatch`` if the run's network has the
    ///   same weights and computes otherwise, ``CheckpointError`` if the run has no best
    ///   weights, ``ShapeError`` if the model doesn't fit the run's images, ``OutOfMemory``.
    public func network(_ model: some Layer, batch: Int? = nil, best: Bool = false) throws -> Network {
        let weights = best ? try bestFile() : file
        let network = try Network(
            model, input: record.imageShape, batch: batch ?? record.batchSize ?? 1, seed: record.seed
        ) { infos in
            let mismatch = WeightsMismatch(weights, infos)
            guard mismatch.isEmpty else { throw mismatch }
        }
        if let digest = record.graphDigest, digest != network.graphDigest {
            let difference = RunMismatch.Difference(
                setting: RunSettingTexts.network, saved: digest, given: network.graphDigest)
            throw RunMismatch(directory: directory ?? file.path, differences: [difference])
        }
        try network.loadWeights(from: weights)
        return network
    }

    private func bestFile() throws(CheckpointError) -> SafetensorsFile {
        if let directory {
            if let path = BestWeights.find(in: directory, best: record.best) { return try SafetensorsFile(path) }
            // A run in training may have replaced the file by a better one since.
            let newest = try RunRecord(Self.open(directory).file)
            if let path = BestWeights.find(in: directory, best: newest.best) { return try SafetensorsFile(path) }
        }
        throw .content(
            path: directory ?? file.path, offset: nil, expected: "a run with \(BestWeights.fileName)",
            found: directory == nil ? "a file of a run" : "none of its best epoch")
    }

    /// Says that a data set has other classes than the run has learned, by their names; `nil` if it hasn't, or if the
    /// run doesn't know its names.
    public func classWarning(about dataset: any Dataset) -> String? {
        guard let classNames = record.classNames, classNames != dataset.classNames else { return nil }
        func text(_ names: [String]) -> String {
            (names.prefix(3).map { $0.printable(longest: 40) } + (names.count > 3 ? ["…"] : [])).joined(separator: ", ")
        }
        return "the run learned the classes \(text(classNames)), and \(dataset.name.printable()) has "
            + "\(text(dataset.classNames)): its labels may mean something else"
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
