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

    /// True for a figure that needs a test.
    public var needsTest: Bool {
        switch self {
        case .loss, .accuracy: false
        case .testLoss, .testAccuracy: true
        }
    }

    /// The gain of `value` over `other`; negative if `value` is worse.
    func gain(of value: Double, over other: Double) -> Double {
        switch self {
        case .loss, .testLoss: other - value
        case .accuracy, .testAccuracy: value - other
        }
    }
}
