import Foundation
import LinkedNet

/// The settings of a run as JSON in the run's checkpoint.
enum RunText {
    private static let key = "paper.settings"

    /// The metadata of a run with these settings.
    static func of(_ settings: RunSettings) throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [key: String(decoding: try encoder.encode(settings), as: UTF8.self)]
    }

    /// The settings that a checkpoint keeps.
    ///
    /// - Parameters:
    ///   - metadata: the metadata of the checkpoint's file. Versions before 0.1.0 kept the settings among the library's
    ///     texts.
    ///   - record: the record of the checkpoint, for the error about another package's run.
    /// - Throws: ``LinkedNet/CheckpointError`` if the checkpoint has no settings, or has settings that can't be read or
    ///   make no sense.
    static func settings(
        of metadata: [String: String], record: RunRecord, path: String
    ) throws(CheckpointError) -> RunSettings {
        func error(_ found: String) -> CheckpointError {
            .content(path: path, offset: nil, expected: "the checkpoint of a run", found: found)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let settings: RunSettings
        do {
            if let text = metadata[key] {
                settings = try decoder.decode(RunSettings.self, from: Data(text.utf8))
            } else if record.graphDigest == nil, let text = metadata["linkednet.run"] {
                struct Former: Decodable { let settings: RunSettings }
                settings = try decoder.decode(Former.self, from: Data(text.utf8)).settings
            } else {
                throw CheckpointError.content(
                    path: path, offset: nil, expected: "a run of one of the paper's networks",
                    found: "a run of the network \(record.graphDigest?.prefix(12) ?? "") of another package, which has "
                        + "to open it: with Run to train it, with SavedRun to use it")
            }
        } catch let error as CheckpointError {
            throw error
        } catch let problem as DecodingError {
            throw error("settings that can't be read: \(text(problem))")
        } catch {
            throw .content(
                path: path, offset: nil, expected: "the checkpoint of a run", found: "settings that can't be read")
        }
        do throws(OptimizerError) {
            _ = try settings.makeOptimizer()
        } catch let problem {
            throw error("settings that make no sense: \(problem)")
        }
        return settings
    }

    /// The error's text on one line.
    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.map(\.stringValue) + [context.debugDescription]).joined(separator: ": ")
        @unknown default: "\(error)"
        }
    }
}
