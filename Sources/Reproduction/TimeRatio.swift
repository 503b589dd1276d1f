import Foundation
import LinkedNet
import PaperNetworks

/// The step times of Table 6's networks, measured side by side, so that a busy moment of the machine affects all
/// networks.
///
/// Each round trains every network for some steps on the same batch. The fastest step of all rounds counts. A step
/// stands for the whole training: loading happens beside the steps, and the test of an epoch takes the same number of
/// forward passes for all networks.
package struct TimeRatio: Codable, Sendable, Hashable {
    /// The time of a step in seconds, by ``Training/id``.
    package private(set) var secondsPerStep: [String: Double] = [:]
    package let rounds: Int
    package let stepsPerRound: Int
    package let instructionSet: String
    package let threads: Int

    /// The training whose step time is the unit of the ratios.
    static let reference = Training(.resNet50, .linkedReLU)

    /// Reads the file that ``init(measuring:data:scale:)`` wrote; `nil` if the file doesn't exist.
    package init?(reading output: OutputDirectory) throws {
        guard let ratio: Self = try TrainingRecord.read(output.timeRatioPath, expectation: "step times") else {
            return nil
        }
        self = ratio
    }

    /// Measures the step times, and writes the result. Measuring takes some seconds at ``Scale/smoke``, and about a
    /// minute at other scales.
    package init(measuring output: OutputDirectory, data: ReproductionData, scale: Scale) throws {
        (rounds, stepsPerRound) = scale == .smoke ? (2, 2) : (5, 4)
        instructionSet = Runtime.instructionSet
        threads = Runtime.threadCount
        var trainings = Paper.cells([.table6]).compactMap(\.trainings.first)
        if !trainings.contains(Self.reference) { trainings.append(Self.reference) }
        let source = try data.source(.unit, testImages: nil)
        for _ in 0..<rounds {
            for training in trainings {
                let settings = try training.settings(
                    Budget(epochs: 1, images: nil, testImages: nil, seeds: 1), seed: Experiment.seed)
                let network = try settings.network(imageShape: data.imageShape, classCount: data.classCount)
                let trainer = try settings.trainer(network)
                let loader = try BatchLoader(dataset: source.train, batchSize: settings.batchSize, prefetching: 0)
                guard let batch = try loader.next() else { continue }
                for step in 0...stepsPerRound {
                    let start = ContinuousClock.now
                    try trainer.step(batch)
                    let (seconds, attoseconds) = start.duration(to: .now).components
                    // The first step warms up, and doesn't count.
                    guard step > 0 else { continue }
                    let time = Double(seconds) + Double(attoseconds) * 1e-18
                    secondsPerStep[training.id] = min(time, secondsPerStep[training.id] ?? .infinity)
                }
            }
        }
        try TrainingRecord.write(self, to: output.timeRatioPath)
    }

    /// A training's step time relative to the reference's.
    func ratio(_ training: Training) -> Double? {
        guard let own = secondsPerStep[training.id], let reference = secondsPerStep[Self.reference.id] else {
            return nil
        }
        return own / reference
    }
}
