import Foundation

/// What a run's checkpoint knows besides the trainer's state, kept as JSON in the file's metadata.
struct RunRecord: Codable {
    let settings: RunSettings
    let imageShape: [Int]
    let classCount: Int
    let dataFingerprint: String
    let best: BestScore
    /// What computed it, and how: ``Run/computation``; `nil` in files of format 1.
    let computation: [String]?
    /// The names of the classes, for people; `nil` in files of before they were kept, and for very many.
    let classNames: [String]?

    private static let key = "linkednet.run"

    init(
        settings: RunSettings, imageShape: [Int], classCount: Int, dataFingerprint: String, best: BestScore,
        computation: [String], classNames: [String]? = nil
    ) {
        self.settings = settings
        self.imageShape = imageShape
        self.classCount = classCount
        self.dataFingerprint = dataFingerprint
        self.best = best
        self.computation = computation
        self.classNames = classNames
    }

    /// Names as a checkpoint keeps them: not so many, and not so long, that they take more room than weights.
    static func savable(_ names: [String]) -> [String]? {
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
        let record: RunRecord
        do {
            record = try decoder.decode(RunRecord.self, from: Data(text.utf8))
        } catch let problem as DecodingError {
            throw error("settings that can't be read: \(Self.text(problem))")
        } catch {
            throw .content(
                path: path, offset: nil, expected: "the checkpoint of a run", found: "settings that can't be read")
        }
        let imageShape = Shape(record.imageShape)
        guard record.classCount >= 1, imageShape.rank > 0, (try? imageShape.validated(as: "images")) != nil else {
            throw error("a network of \(record.classCount) classes for images of \(imageShape)")
        }
        do throws(OptimizerError) {
            _ = try record.settings.makeOptimizer()
        } catch let problem {
            throw error("settings that make no sense: \(problem)")
        }
        if let epoch = record.best.epoch, !(0...TrainingPosition.largestCount).contains(epoch) {
            throw error("a best epoch of \(epoch)")
        }
        self = record
    }

    /// What the file keeps.
    func metadata() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [Self.key: String(decoding: try encoder.encode(self), as: UTF8.self)]
    }

    /// One line.
    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.map(\.stringValue) + [context.debugDescription]).joined(separator: ": ")
        @unknown default: "\(error)"
        }
    }
}
