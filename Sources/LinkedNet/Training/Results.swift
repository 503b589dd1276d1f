/// The result of an epoch.
public struct EpochResult: Sendable, Hashable {
    /// The epoch, counted from 0.
    public let epoch: Int
    /// The number of updates since the beginning of the run.
    public let step: Int
    /// Losses and hits over the training images, each batch measured before the batch's update.
    public let training: LossResult
    /// Losses and hits over the test images after the epoch's last update; `nil` without test images.
    public let test: LossResult?
    /// Time spent training, without the test, in seconds.
    public let seconds: Double
    /// Time spent testing, in seconds.
    public let testSeconds: Double

    /// Training images in a second.
    public var imagesPerSecond: Double { Double(training.sampleCount) / seconds }

    /// The result of an epoch.
    public init(
        epoch: Int, step: Int, training: LossResult, test: LossResult?, seconds: Double, testSeconds: Double
    ) {
        self.epoch = epoch
        self.step = step
        self.training = training
        self.test = test
        self.seconds = seconds
        self.testSeconds = testSeconds
    }
}

/// The result of a ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)``.
public struct TrainingResult: Sendable {
    /// The reason for the end of training.
    public enum End: Sendable, Hashable {
        /// All epochs are done.
        case completed
        /// The largest number of steps is done.
        case stepLimit
        /// An observer stopped training.
        case stopped
    }

    /// The epochs that ended, in order.
    public let epochs: [EpochResult]
    /// The reason for the end of training.
    public let end: End
}

/// The result of an evaluation.
public struct EvaluationResult: Sendable, Hashable {
    /// Loss and hits of all samples.
    public let result: LossResult
    /// The number of samples for each pair of label and prediction: element label·classCount + prediction. The sum is
    /// the number of samples, without samples that have a NaN among the outputs.
    public let confusion: [Int]
    /// The number of classes.
    public let classCount: Int

    /// The mean loss.
    public var loss: Double { result.loss }
    /// The share of samples whose first largest output is the label's.
    public var accuracy: Double { result.accuracy }
}
