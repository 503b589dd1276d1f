import Foundation

/// The description of a run besides weights and the trainer's state. The record holds all facts that a user of the
/// run's network needs. A checkpoint keeps the record as JSON in the metadata.
public struct RunRecord: Sendable, Hashable {
    /// The version of the library that saved the run; `nil` in files of before 0.1.0.
    public let libraryVersion: String?
    /// The settings of the network and the trainer, by name; empty in files of before 0.1.0.
    public let trainerSettings: [String: String]
    /// The settings of the images and of the batches, by name. Files of before 0.1.0 have only the images' fingerprint.
    public let dataSettings: [String: String]
    /// The name of the data set.
    public let dataName: String?
    /// Height, width, channels.
    public let imageShape: Shape
    /// The number of classes.
    public let classCount: Int
    /// The names of the classes, for people; `nil` for very many or very long names, and if no names were saved.
    public let classNames: [String]?
    /// The rule that made pixels of bytes; `nil` if the data set gave no rule.
    public let pixelScaling: PixelScaling?
    /// The largest number of samples in a step; `nil` in files of before 0.1.0.
    public let batchSize: Int?
    /// The seed of the first weights.
    public let seed: UInt64
    /// The best epoch so far.
    public let best: BestScore
    /// The texts of the run's owner: ``Run/metadata``.
    public let metadata: [String: String]
    /// The instruction set and the algorithms that computed the run: ``Run/computation``; `nil` in files of format 1.
    let computation: [String]?
    /// The states of the observers: ``ObserverStates``.
    let observerStates: [String: String]

    /// The fingerprint of the network's graph, ``Network/graphDigest``; `nil` in files of before 0.1.0.
    public var graphDigest: String? { trainerSettings[RunSettingTexts.network] }
    /// The fingerprint of the training images: ``Dataset/fingerprint``.
    public var dataFingerprint: String { dataSettings[RunSettingTexts.dataset] ?? "" }

    /// The beginning of the library's own keys. No other metadata is kept under such keys.
    static let reservedPrefix = "linkednet."
    private static let key = reservedPrefix + "run"
    private static let seedKey = reservedPrefix + "seed"

    /// The JSON part of the record. Properties that older versions didn't save are optional.
    private struct Content: Codable {
        var libraryVersion: String?
        var trainer, data: [String: String]?
        var dataName: String?
        var imageShape: [Int]
        var classCount: Int
        var classNames: [String]?
        var pixelScaling: PixelScaling?
        var batchSize: Int?
        var dataFingerprint: String
        var best: BestScore
        var computation: [String]?
        var observers: [String: String]?
    }

    /// The record of a run that trains now.
    init(
        trainer: Trainer, dataset: any Dataset, dataSettings: [String: String], best: BestScore,
        computation: [String], observerStates: [String: String], metadata: [String: String]
    ) {
        libraryVersion = LibraryVersion.current
        trainerSettings = RunSettingTexts.of(trainer)
        self.dataSettings = dataSettings
        dataName = dataset.name
        imageShape = dataset.imageShape
        classCount = dataset.classCount
        classNames = Self.savable(dataset.classNames)
        pixelScaling = dataset.pixelScaling
        batchSize = trainer.network.batchSize
        seed = trainer.network.seed
        self.best = best
        self.computation = computation
        self.observerStates = observerStates
        self.metadata = metadata
    }

    /// The names that a checkpoint keeps; `nil` for very many or very long names, which could take more room than the
    /// weights.
    private static func savable(_ names: [String]) -> [String]? {
        names.count <= 1000 && names.allSatisfy({ $0.utf8.count <= 200 }) ? names : nil
    }

    /// - Throws: ``CheckpointError`` if the file isn't a run's checkpoint.
    init(_ file: SafetensorsFile) throws(CheckpointError) {
        try self.init(metadata: file.metadata, path: file.path)
    }

    /// - Parameter path: the file of the metadata, for errors.
    init(metadata: [String: String], path: String) throws(CheckpointError) {
        func error(_ found: String) -> CheckpointError {
            .content(path: path, offset: nil, expected: "the checkpoint of a run", found: found)
        }
        guard let text = metadata[Self.key] else { throw error("a file without a run's settings") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let content: Content
        do {
            content = try decoder.decode(Content.self, from: Data(text.utf8))
        } catch let problem as DecodingError {
            throw error("settings that can't be read: \(Self.text(problem))")
        } catch {
            throw .content(
                path: path, offset: nil, expected: "the checkpoint of a run", found: "settings that can't be read")
        }
        let imageShape = Shape(content.imageShape)
        guard content.classCount >= 1, imageShape.rank > 0, (try? imageShape.validated(as: "images")) != nil else {
            throw error("a network of \(content.classCount) classes for images of \(imageShape)")
        }
        if let epoch = content.best.epoch, !(0...TrainingPosition.largestCount).contains(epoch) {
            throw error("a best epoch of \(epoch)")
        }
        if let size = content.batchSize, size < 1 { throw error("a batch size of \(size)") }
        libraryVersion = content.libraryVersion
        trainerSettings = content.trainer ?? [:]
        dataSettings = content.data ?? [RunSettingTexts.dataset: content.dataFingerprint]
        dataName = content.dataName
        self.imageShape = imageShape
        classCount = content.classCount
        classNames = content.classNames
        pixelScaling = content.pixelScaling
        batchSize = content.batchSize
        seed = metadata[Self.seedKey].flatMap { UInt64($0) } ?? 0
        best = content.best
        computation = content.computation
        observerStates = content.observers ?? [:]
        self.metadata = metadata.filter { !$0.key.hasPrefix(Self.reservedPrefix) }
    }

    /// The record as the texts that a checkpoint keeps.
    func texts() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let content = Content(
            libraryVersion: libraryVersion, trainer: trainerSettings, data: dataSettings, dataName: dataName,
            imageShape: imageShape.dimensions, classCount: classCount, classNames: classNames,
            pixelScaling: pixelScaling, batchSize: batchSize, dataFingerprint: dataFingerprint, best: best,
            computation: computation, observers: observerStates.isEmpty ? nil : observerStates)
        var texts = metadata
        texts[Self.seedKey] = String(seed)
        texts[Self.key] = String(decoding: try encoder.encode(content), as: UTF8.self)
        return texts
    }

    /// The texts of a record among a checkpoint's metadata.
    static func texts(of metadata: [String: String]) -> [String: String] {
        metadata.filter { !$0.key.hasPrefix(reservedPrefix) || $0.key == key || $0.key == seedKey }
    }

    /// The error on one line.
    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.map(\.stringValue) + [context.debugDescription]).joined(separator: ": ")
        @unknown default: "\(error)"
        }
    }
}
