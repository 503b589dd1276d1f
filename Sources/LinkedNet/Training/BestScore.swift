/// The best score of a run so far. NaN is never best.
public struct BestScore: Sendable, Hashable, Codable {
    /// The figure that is compared.
    public let metric: Metric
    /// The best figure; `nil` before the first figure.
    public private(set) var value: Double?
    /// The first epoch with the best figure, counted from 0.
    public private(set) var epoch: Int?

    /// No score yet.
    public init(_ metric: Metric = .testAccuracy) {
        self.metric = metric
    }

    /// Takes an epoch into account.
    ///
    /// - Parameters:
    ///   - result: the epoch's result.
    ///   - minimumGain: a score counts only if the score is better by more than this gain.
    /// - Returns: true if the score is the best so far.
    @discardableResult
    public mutating func consider(_ result: EpochResult, minimumGain: Double = 0) -> Bool {
        guard let score = metric.value(of: result), !score.isNaN else { return false }
        if let value, !(metric.gain(of: score, over: value) > minimumGain) { return false }
        value = score
        epoch = result.epoch
        return true
    }
}
