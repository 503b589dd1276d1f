/// A loss of a network's outputs against class labels.
///
/// A loss of your own conforms to this protocol; a ``Trainer`` takes any loss. A sample's loss depends on this sample
/// alone, so a batch may be evaluated in micro-batches, several at once.
public protocol Loss: SelfDescribing, Sendable {
    /// The loss and the number of correct samples of a batch and, on the caller's wish, the gradient of the mean loss.
    ///
    /// - Parameters:
    ///   - output: the network's output, [samples][classes].
    ///   - labels: [samples], each in 0 ..< classes.
    ///   - classes: the number of classes.
    ///   - gradient: [samples][classes], overwritten; empty if the caller doesn't want the gradient.
    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult
}

/// The loss and the number of correct samples.
public struct LossResult: Sendable, Hashable {
    /// The sum of the samples' losses.
    public var lossSum: Double
    /// The number of correct samples.
    public var correctCount: Int
    /// The number of samples.
    public var sampleCount: Int

    /// A result of `sampleCount` samples.
    public init(lossSum: Double = 0, correctCount: Int = 0, sampleCount: Int = 0) {
        self.lossSum = lossSum
        self.correctCount = correctCount
        self.sampleCount = sampleCount
    }

    /// The mean loss; NaN without samples.
    public var loss: Double { lossSum / Double(sampleCount) }
    /// The share of correct samples; NaN without samples.
    public var accuracy: Double { Double(correctCount) / Double(sampleCount) }

    /// Adds the result of other samples.
    public static func += (total: inout LossResult, other: LossResult) {
        total.lossSum += other.lossSum
        total.correctCount += other.correctCount
        total.sampleCount += other.sampleCount
    }
}
