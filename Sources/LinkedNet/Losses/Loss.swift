/// A loss of a network's outputs against class labels.
///
/// A loss of your own conforms to this protocol; a ``Trainer`` takes any. A sample's loss depends on that sample alone:
/// a batch may be evaluated in parts, several at once.
public protocol Loss: SelfDescribing, Sendable {
    /// The loss and the number of correct predictions of a batch and, where somebody asks for it, the gradient of the
    /// mean loss.
    ///
    /// - Parameters:
    ///   - output: the network's output, [samples][classes].
    ///   - labels: [samples], each in 0 ..< classes.
    ///   - classes: the number of classes.
    ///   - gradient: [samples][classes], overwritten; empty if nobody asks for the gradient.
    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult
}

/// The loss and the correct predictions of some samples.
public struct LossResult: Sendable, Hashable {
    /// The sum of the samples' losses.
    public var lossSum: Double
    /// How many samples were classified correctly.
    public var correctCount: Int
    /// How many samples there were.
    public var sampleCount: Int

    /// A result of `sampleCount` samples.
    public init(lossSum: Double = 0, correctCount: Int = 0, sampleCount: Int = 0) {
        self.lossSum = lossSum
        self.correctCount = correctCount
        self.sampleCount = sampleCount
    }

    /// The mean loss; NaN without samples.
    public var loss: Double { lossSum / Double(sampleCount) }
    /// The share of correct predictions; NaN without samples.
    public var accuracy: Double { Double(correctCount) / Double(sampleCount) }

    /// Adds other samples.
    public static func += (total: inout LossResult, other: LossResult) {
        total.lossSum += other.lossSum
        total.correctCount += other.correctCount
        total.sampleCount += other.sampleCount
    }
}
