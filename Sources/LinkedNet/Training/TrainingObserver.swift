/// Hears of the events of a training, and may stop the training: progress, logs, checkpoints, early stopping.
///
/// All methods have defaults that do nothing, so an observer implements only the methods that the observer needs. An
/// error of a method ends ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)``.
public protocol TrainingObserver: AnyObject {
    /// The scores that this observer needs. Training doesn't begin if a score can't come: a score of the test, without
    /// test images. None by default.
    var watchedMetrics: [Metric] { get }
    /// A text from which this observer goes on in a resumed run. A ``Run`` saves the text with each checkpoint. `nil`,
    /// the default, for an observer that needs nothing from before.
    var savedState: String? { get }
    /// Takes the text that an observer of this type had when the run was saved. Called before
    /// ``trainingBegan(_:_:)``.
    func restore(_ savedState: String) throws
    /// Before the first step of a ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)``. If one
    /// observer wants to stop, there is no step.
    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive
    /// After each step.
    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive
    /// After each batch of an evaluation. A stop in the middle of a fit's evaluation leaves the epoch's end for a
    /// resumed run.
    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive
    /// After each epoch and its evaluation; ``Trainer/position`` is the next epoch's beginning.
    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive
    /// When a run can't be saved any more, and when the run can be saved again; and at the beginning of training if the
    /// run's file system can't do everything that saving needs. Training goes on.
    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws
    /// After the last step or epoch, unless an error ended training.
    func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws
}

extension TrainingObserver {
    public var watchedMetrics: [Metric] { [] }
    public var savedState: String? { nil }
    public func restore(_ savedState: String) throws {}
    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive { .proceed }
    public func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive { .proceed }
    public func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive { .proceed }
    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive { .proceed }
    public func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {}
    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {}
}

/// The wish of an observer.
public enum Directive: Sendable {
    /// Go on.
    case proceed
    /// End training after the step, batch or epoch that has just ended.
    case stop
}

/// A training that is about to begin.
public struct TrainingBegin: Sendable {
    /// The position at which training begins: not at 0 in a resumed run.
    public let position: TrainingPosition
    /// The epoch before which training ends.
    public let epochs: Int
    /// The number of batches in an epoch.
    public let batchesPerEpoch: Int
    /// The step after which training ends, if this step comes before the end of the last epoch;
    /// `nil` without a limit.
    public let lastStep: Int?
}

/// A step that has ended.
public struct StepEvent: Sendable {
    /// The running epoch, counted from 0.
    public let epoch: Int
    /// The number of finished batches of the epoch, this batch included.
    public let batch: Int
    /// The number of batches in an epoch.
    public let batchesPerEpoch: Int
    /// The number of updates since the beginning of the run, this update included.
    public let step: Int
    /// Losses and hits of this batch, before the update.
    public let result: LossResult
    /// Losses and hits of the epoch so far.
    public let epochResult: LossResult
    /// Time spent training in this epoch so far, in seconds.
    public let epochSeconds: Double
}

/// The progress of an evaluation.
public struct EvaluationEvent: Sendable {
    /// The number of finished batches.
    public let batch: Int
    /// The number of all batches.
    public let batchCount: Int
}

/// The result of the last attempt to save a run.
public struct SavingEvent: Sendable, CustomStringConvertible {
    /// The number of updates of the run at the attempt.
    public let step: Int
    /// The reason for a failed save; `nil` if the run was saved.
    public let error: CheckpointError?
    /// The number of updates of the run on the disk.
    public let savedStep: Int
    /// The promise that doesn't hold in this training because the file system can't do its part; `nil` if the event is
    /// another event.
    public let warning: String?

    init(step: Int, error: CheckpointError?, savedStep: Int, warning: String? = nil) {
        (self.step, self.error, self.savedStep, self.warning) = (step, error, savedStep, warning)
    }

    /// A line for people.
    public var description: String {
        if let warning { return warning }
        guard let error else { return "saving works again: the run as of step \(savedStep) is on the disk" }
        return "could not save at step \(step): \(error); training goes on, "
            + "and the run as of step \(savedStep) is on the disk"
    }
}
