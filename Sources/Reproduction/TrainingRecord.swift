import Foundation
import LinkedNet
import PaperNetworks

/// The record of a finished training: everything that pages are made from.
package struct TrainingRecord: Codable, Sendable, Hashable {
    /// An epoch of the learning curve.
    package struct Point: Codable, Sendable, Hashable {
        /// Counted from 1.
        package let epoch: Int
        package let loss: Double
        package let accuracy: Double
        package let testLoss: Double?
        package let testAccuracy: Double?
        package let seconds: Double
        package let testSeconds: Double
    }

    /// The end of a training that left the finite numbers.
    package struct Explosion: Codable, Sendable, Hashable {
        /// Counted from 1. A number of this step, or of the test after this step, was not finite.
        package let step: Int
        package let epoch: Int
        /// The layer where a number that isn't finite was first seen.
        package let layer: String
        package let description: String
    }

    /// ``Training/id``
    package let training: String
    package let settings: RunSettings
    package let dataName: String
    package let dataFingerprint: String
    package let testImages: Int
    package let classCount: Int
    package let parameters: Int
    package let instructionSet: String
    package let threads: Int
    /// The name of the sources in git; `nil` without git.
    package let commit: String?
    package let curve: [Point]
    package let explosion: Explosion?
    /// The dead neurons after training; `nil` if nobody counted.
    package let deadNeurons: [DeadNeurons]?

    /// The best test accuracy over the epochs. After an explosion every output is NaN. NaN counts as the first class,
    /// so the accuracy is then at chance.
    package var figure: Double {
        (curve.compactMap(\.testAccuracy) + (explosion == nil ? [] : [1 / Double(classCount)])).max() ?? 0
    }

    /// The time of training and testing.
    package var seconds: Double { curve.reduce(0) { $0 + $1.seconds + $1.testSeconds } }

}

// MARK: Files

extension TrainingRecord {
    func write(to path: String) throws {
        try Self.write(self, to: path)
    }

    /// Writes `content` as JSON. The same content gives the same JSON.
    static func write(_ content: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try encoder.encode(content).withUnsafeBytes { try DurableFile.replace(path, contents: [$0]) }
    }

    /// The content that ``write(_:to:)`` wrote; `nil` if there is no file.
    ///
    /// - Parameter expectation: a description of the expected file, for the error.
    static func read<Content: Decodable>(_ path: String, expectation: String) throws(CheckpointError) -> Content? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try decode(try WholeFile.read(path, expectation: expectation), of: path, expectation: expectation)
    }

    private static func decode<Content: Decodable>(
        _ data: Data, of path: String, expectation: String
    ) throws(CheckpointError) -> Content {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(Content.self, from: data)
        } catch {
            throw .content(path: path, offset: nil, expected: expectation, found: "something else")
        }
    }

    /// The learning curve that a run has written.
    static func curve(_ metrics: String) throws -> [Point] {
        struct Line: Decodable {
            let epoch: Int
            let loss, accuracy: Double?
            let testLoss, testAccuracy: Double?
            let seconds, testSeconds: Double?
        }
        let expectation = "a line of JSON for each epoch"
        guard FileManager.default.fileExists(atPath: metrics) else { return [] }
        return try WholeFile.read(metrics, expectation: expectation).split(separator: UInt8(ascii: "\n")).map { text in
            let line: Line = try decode(Data(text), of: metrics, expectation: expectation)
            return Point(
                epoch: line.epoch, loss: line.loss ?? 0, accuracy: line.accuracy ?? 0, testLoss: line.testLoss,
                testAccuracy: line.testAccuracy, seconds: line.seconds ?? 0, testSeconds: line.testSeconds ?? 0)
        }
    }
}
