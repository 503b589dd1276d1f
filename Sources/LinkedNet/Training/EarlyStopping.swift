/// Stops training when a score hasn't become better for some epochs.
public final class EarlyStopping: TrainingObserver {
    /// How many epochs without a better score are one too many.
    public let patience: Int
    /// By how much a score must be better to count.
    public let minimumGain: Double
    /// The best score so far.
    public private(set) var best: BestScore
    private var firstEpoch: Int?

    /// - Parameters:
    ///   - best: what is compared, and the best score so far if the run was resumed.
    ///   - patience: training stops after this many epochs in a row without a better score; at least 1.
    ///   - minimumGain: by how much a score must be better to count.
    public init(_ best: BestScore = BestScore(.testLoss), patience: Int, minimumGain: Double = 0) {
        self.best = best
        self.patience = max(patience, 1)
        self.minimumGain = minimumGain
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        let first = firstEpoch ?? event.epoch
        firstEpoch = first
        best.consider(event, minimumGain: minimumGain)
        return event.epoch - (best.epoch ?? first - 1) >= patience ? .stop : .proceed
    }
}
