/// A saved run of any model, opened for use or inspection: the weights and the run's description, without the state of
/// the training.
///
/// ```swift
/// let saved = try SavedRun("runs/mine")
/// let network = try saved.network(model, best: true)
/// ```
public struct SavedRun {
    /// The run's description, with all facts that a user of the network needs.
    public let record: RunRecord
    /// The damage of the checkpoints that are newer than the opened checkpoint.
    public let damage: [CheckpointError]
    /// The checkpoint that was opened.
    public let file: SafetensorsFile
    /// The run's directory; `nil` if a file was given.
    private let directory: String?

    /// Opens the newest whole checkpoint of a run. The run may be in training.
    ///
    /// - Parameter path: the run's directory, or a file of the run: a checkpoint or `best.safetensors`.
    /// - Throws: ``CheckpointError`` if the run has no whole checkpoint, or if there is no run.
    public init(_ path: String) throws(CheckpointError) {
        (file, damage) = try Self.open(path)
        record = try RunRecord(file)
        directory = RegularFile.isDirectory(path) ? path : nil
    }

    /// Does the same as ``init(_:)``, but accepts only a directory. For a run's checkpoint, the error names the run.
    public init(directory: String) throws(CheckpointError) {
        try RunPlace.requireRun(in: directory)
        try self.init(directory)
    }

    /// Compiles the run's network with the saved weights. A network that differs from the run's network gets no memory.
    ///
    /// - Parameters:
    ///   - model: the model that the run trained.
    ///   - batch: the largest number of samples in a training step; `nil` for the run's number.
    ///   - best: true for the weights of the best epoch, false for the newest weights.
    /// - Throws: ``WeightsMismatch`` if the run's network has other weights, ``RunMismatch`` if the run's network has
    ///   the same weights and computes otherwise, ``CheckpointError`` if the run has no best
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

    /// A warning if the data set's class names differ from the class names that the run has learned; `nil` if the names
    /// are the same, or if the run has no class names.
    public func classWarning(about dataset: any Dataset) -> String? {
        guard let classNames = record.classNames, classNames != dataset.classNames else { return nil }
        func text(_ names: [String]) -> String {
            (names.prefix(3).map { $0.printable(longest: 40) } + (names.count > 3 ? ["…"] : [])).joined(separator: ", ")
        }
        return "the run learned the classes \(text(classNames)), and \(dataset.name.printable()) has "
            + "\(text(dataset.classNames)): its labels may mean something else"
    }

    /// The ``WeightsDigest`` of the weights of a run, or of a file of weights, without compiling a network. Tensors
    /// that aren't floats and tensors without elements are no weights.
    ///
    /// - Parameters:
    ///   - path: the run's directory, or the file.
    ///   - warn: called with the damage of the checkpoints that are newer than the used checkpoint.
    /// - Throws: ``CheckpointError`` if the weights can't be read.
    public static func digest(
        _ path: String, warn: ([CheckpointError]) -> Void = { _ in }
    ) throws(CheckpointError) -> String {
        let (file, damage) = try open(path)
        warn(damage)
        return try WeightsDigest.sha256(of: file) { file[$0]?.canBeWeight == true }
    }

    /// Opens a run's checkpoint. `path` is the run's directory or the checkpoint.
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
            // A file that is no checkpoint is more likely than a damaged checkpoint.
            guard case .content(let path, let offset, let detail, let found) = error else { throw error }
            throw .content(path: path, offset: offset, expected: "\(expected): \(detail)", found: found)
        }
        try file.verifyChecksum(isRequired: false)
        return (file, [])
    }
}
