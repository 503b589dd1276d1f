import Foundation
import LinkedNet

@testable import Reproduction

extension TrainingRecord {
    /// The record of a made-up run.
    static func madeUp(
        _ training: Training, seed: UInt64, accuracy: Double, commit: String? = nil, explosion: Explosion? = nil,
        deadNeurons: [DeadNeurons]? = nil
    ) throws -> TrainingRecord {
        let settings = try training.settings(Budget(epochs: 20, images: nil, testImages: nil, seeds: 1), seed: seed)
        let point = TrainingRecord.Point(
            epoch: 1, loss: 2.3, accuracy: 0.1, testLoss: 2.3, testAccuracy: accuracy, seconds: 1, testSeconds: 1)
        return TrainingRecord(
            training: training.id, settings: settings, dataName: "made up", dataFingerprint: "none", testImages: 10_000,
            classCount: 10, parameters: 1, instructionSet: "none", threads: 1, commit: commit, curve: [point],
            explosion: explosion,
            deadNeurons: deadNeurons)
    }
}

extension OutputDirectory {
    /// Writes a record to the place of a finished run's record.
    func add(_ record: TrainingRecord, of training: Training) throws {
        let seed = record.settings.seed
        try FileManager.default.createDirectory(
            atPath: runDirectory(training, seed: seed), withIntermediateDirectories: true)
        try record.write(to: recordPath(training, seed: seed))
    }
}
