/// A figure of an epoch that training is judged by.
public enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
    /// The mean loss over the training images.
    case loss
    /// The share of hits among the training images.
    case accuracy
    /// The mean loss over the test images.
    case testLoss = "test_loss"
    /// The share of hits among the test images.
    case testAccuracy = "test_accuracy"

    /// The figure; `nil` if there was no test.
    public func value(of result: EpochResult) -> Double? {
        switch self {
        case .loss: result.training.loss
        case .accuracy: result.training.accuracy
        case .testLoss: result.test?.loss
        case .testAccuracy: result.test?.accuracy
        }
    }

    /// By how much `value` is better than `other`; negative if it is worse.
    func gain(of value: Double, over other: Double) -> Double {
        switch self {
        case .loss, .testLoss: other - value
        case .accuracy, .testAccuracy: value - other
        }
    }
}

/// The best score of a run so far. NaN is never best.
public struct BestScore: Sendable, Hashable, Codable {
    /// What is compared.
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
    /// - Parameter minimumGain: by how much a score must be better to count.
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
