import Foundation
import LinkedNet
import PaperNetworks

/// The files of a reproduction.
///
/// - `reproduction.json`: the common properties of all runs.
/// - `runs/TRAINING/seed-N/`: a run with its checkpoint, and `record.json` when the run is finished.
/// - `time-ratio.json`: measured step times, for Table 6.
/// - the pages.
package struct OutputDirectory: Sendable {
    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    /// The properties that all runs of a reproduction share. A run with other properties can't continue the
    /// reproduction.
    package struct Identity: Codable, Equatable {
        let scale: Scale
        let limit: Int?
        let data: String
        let dataFingerprint: String

        package init(scale: Scale, limit: Int?, data: ReproductionData) {
            self.scale = scale
            self.limit = limit
            self.data = data.name
            dataFingerprint = data.fingerprint
        }

        /// The usual `--data` for this data.
        var usualDataOption: String { ["Fashion-MNIST": "fashion-mnist", "shapes": "shapes"][data] ?? "data" }
    }

    /// The properties that the directory's runs share.
    ///
    /// - Throws: ``SettingsError`` if the directory holds no reproduction, ``CheckpointError`` if the file with the
    ///   properties can't be read.
    func identity() throws -> Identity {
        guard let identity = try savedIdentity() else {
            throw SettingsError(setting: "output", expected: "a directory with a reproduction", found: path)
        }
        return identity
    }

    private func savedIdentity() throws(CheckpointError) -> Identity? {
        try TrainingRecord.read(identityPath, expectation: "what a reproduction's runs have in common")
    }

    func runDirectory(_ training: Training, seed: UInt64) -> String { "\(path)/runs/\(training.id)/seed-\(seed)" }
    func recordPath(_ training: Training, seed: UInt64) -> String {
        runDirectory(training, seed: seed) + "/record.json"
    }
    func diagnosticsPath(_ training: Training, seed: UInt64) -> String {
        runDirectory(training, seed: seed) + "/diagnostics.jsonl"
    }
    var timeRatioPath: String { path + "/time-ratio.json" }
    private var identityPath: String { path + "/reproduction.json" }

    /// The finished run's record; `nil` if the run isn't finished.
    package func record(_ training: Training, seed: UInt64) throws -> TrainingRecord? {
        try TrainingRecord.read(recordPath(training, seed: seed), expectation: "the record of a training")
    }

    /// The records of all finished runs of a training, by seed.
    func records(_ training: Training) throws -> [TrainingRecord] {
        let directories = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/runs/\(training.id)")) ?? []
        return try directories.compactMap { UInt64($0.dropFirst("seed-".count)) }.sorted().compactMap {
            try record(training, seed: $0)
        }
    }

    /// Makes the directory, or checks that the directory holds the same reproduction.
    ///
    /// - Throws: ``SettingsError`` if the directory holds a reproduction and `resumes` is false, or holds another
    ///   reproduction, ``CheckpointError`` if the file with the properties can't be read.
    package func open(_ identity: Identity, resumes: Bool) throws {
        if let found = try savedIdentity() {
            guard resumes else {
                throw SettingsError(
                    setting: "output", expected: "a directory without a reproduction (--resume goes on with it)",
                    found: path)
            }
            guard found == identity else {
                throw SettingsError(setting: "resume", expected: Self.text(found), found: Self.text(identity))
            }
            return
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try TrainingRecord.write(identity, to: identityPath)
    }

    private static func text(_ identity: Identity) -> String {
        let limit = identity.limit.map { ", --limit \($0)" } ?? ""
        return
            "--scale \(identity.scale.rawValue)\(limit), data \(identity.data) (\(identity.dataFingerprint.prefix(8)))"
    }
}
