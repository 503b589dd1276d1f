/// Is told how training goes, and may stop it: progress, logs, checkpoints, early stopping.
///
/// All methods have defaults that do nothing, so an observer implements only those it needs. An error that one throws
/// ends ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)``.
public protocol TrainingObserver: AnyObject {
    /// The scores that this observer can't do without. Training doesn't begin if one of them can't come: the scores of
    /// a test, without test images. None by default.
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
    /// After each batch of an evaluation. Stopping one in the middle of a fit leaves the epoch's end for a resumed run.
    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive
    /// After each epoch and its evaluation; ``Trainer/position`` is the next epoch's beginning.
    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive
    /// When a run can't be saved any more, and when it can be again; and at the beginning of training if its file
    /// system doesn't do all that saving needs. Training goes on.
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
    /// End training after what was just done.
    case stop
}

/// A training that is about to begin.
public struct TrainingBegin: Sendable {
    /// Where it begins: not at 0 in a resumed run.
    public let position: TrainingPosition
    /// The epoch before which it ends.
    public let epochs: Int
    /// The number of batches in an epoch.
    public let batchesPerEpoch: Int
    /// The step after which it ends, if that comes first.
    public let lastStep: Int?
}

/// A step that has ended.
public struct StepEvent: Sendable {
    /// The running epoch, counted from 0.
    public let epoch: Int
    /// How many batches of the epoch are done, this one included.
    public let batch: Int
    /// The number of batches in an epoch.
    public let batchesPerEpoch: Int
    /// How many updates there were since the beginning of the run, this one included.
    public let step: Int
    /// Losses and hits of this batch, before the update.
    public let result: LossResult
    /// Losses and hits of the epoch so far.
    public let epochResult: LossResult
    /// Time spent training in this epoch so far, in seconds.
    public let epochSeconds: Double
}

/// How far an evaluation is.
public struct EvaluationEvent: Sendable {
    /// How many batches are done.
    public let batch: Int
    /// How many there are.
    public let batchCount: Int
}

/// How the last attempt to save a run went.
public struct SavingEvent: Sendable, CustomStringConvertible {
    /// How many updates the run had when it was to be saved.
    public let step: Int
    /// Why it could not be; `nil` if it was.
    public let error: CheckpointError?
    /// With how many updates the run is on the disk.
    public let savedStep: Int
    /// The promise that doesn't hold in this training because the file system can't do its part; `nil` if the event is
    /// another.
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
