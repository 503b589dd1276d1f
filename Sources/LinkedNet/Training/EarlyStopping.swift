import Foundation

/// Stops training when a score hasn't become better for some epochs.
///
/// A score of the test needs test images: training doesn't begin without test images.
public final class EarlyStopping: TrainingObserver {
    /// The number of epochs in a row without a better score after which training stops.
    public let patience: Int
    /// A score counts only if the score is better by more than this gain.
    public let minimumGain: Double
    /// The best score so far.
    public private(set) var best: BestScore
    private var firstEpoch: Int?

    /// - Parameters:
    ///   - best: the metric to compare, and the best score so far if the run was resumed.
    ///   - patience: training stops after this many epochs in a row without a better score; at least 1.
    ///   - minimumGain: a score counts only if the score is better by more than this gain; finite, at least 0.
    public init(_ best: BestScore = BestScore(.testLoss), patience: Int, minimumGain: Double = 0) {
        self.best = best
        self.patience = patience
        self.minimumGain = minimumGain
    }

    public var watchedMetrics: [Metric] { [best.metric] }

    /// - Throws: ``TrainingError`` if the patience or the gain makes no sense.
    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        guard patience >= 1 else {
            throw TrainingError.mismatch(
                subject: "EarlyStopping", expected: "a patience of at least 1 epoch", found: "\(patience)")
        }
        guard minimumGain >= 0, minimumGain.isFinite else {
            throw TrainingError.mismatch(
                subject: "EarlyStopping", expected: "a finite minimum gain of at least 0", found: "\(minimumGain)")
        }
        // The score belongs to another training, or to a training that went on beyond the checkpoint from which this
        // training continues. No epoch of this training has reached the score, and the patience would count from a
        // future epoch.
        if let epoch = best.epoch, epoch >= event.position.epoch { best = BestScore(best.metric) }
        if let epoch = firstEpoch, epoch > event.position.epoch { firstEpoch = nil }
        return firstEpoch.map { directive(after: event.position.epoch - 1, first: $0) } ?? .proceed
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        let first = firstEpoch ?? event.epoch
        firstEpoch = first
        best.consider(event, minimumGain: minimumGain)
        return directive(after: event.epoch, first: first)
    }

    private func directive(after epoch: Int, first: Int) -> Directive {
        epoch - (best.epoch ?? first - 1) >= patience ? .stop : .proceed
    }

    // MARK: Resuming

    private struct SavedState: Codable {
        let best: BestScore
        let firstEpoch: Int?
    }

    /// The best score, and the first epoch that counted.
    public var savedState: String? {
        let state = SavedState(best: best, firstEpoch: firstEpoch)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(state)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Goes on from a saved state, if the state is of the same metric.
    public func restore(_ savedState: String) throws {
        let state: SavedState
        do {
            state = try JSONDecoder().decode(SavedState.self, from: Data(savedState.utf8))
        } catch {
            throw TrainingError.mismatch(
                subject: "EarlyStopping", expected: "a best score and a first epoch as the saved state",
                found: savedState.printable(longest: 100))
        }
        if state.best.metric == best.metric { (best, firstEpoch) = (state.best, state.firstEpoch) }
    }
}
