/// The best score of a run so far. NaN is never best.
public struct BestScore: Sendable, Hashable, Codable {
    /// The figure that is compared.
    public let metric: Metric
    /// The best figure; `nil` before the first.
    public private(set) var value: Double?
    /// The epoch that reached it first, counted from 0.
    public private(set) var epoch: Int?

    /// No score yet.
    public init(_ metric: Metric = .testAccuracy) {
        self.metric = metric
    }

    /// Takes an epoch into account.
    ///
    /// - Parameters:
    ///   - result: the epoch.
    ///   - minimumGain: by how much a score must be better to count.
    /// - Returns: true if it is the best so far.
    @discardableResult
    public mutating func consider(_ result: EpochResult, minimumGain: Double = 0) -> Bool {
        guard let score = metric.value(of: result), !score.isNaN else { return false }
        if let value, !(metric.gain(of: score, over: value) > minimumGain) { return false }
        value = score
        epoch = result.epoch
        return true
    }
}
