#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// The change of the learning rate during a training: a factor on the optimizer's learning rate.
///
/// Keras' time decay is a setting of the optimizer, and multiplies the rate as well.
public enum LearningRateSchedule: Sendable, Hashable {
    /// The learning rate doesn't change.
    case constant
    /// From each `epoch` (counted from 0) on, `factor` multiplies the learning rate; factors don't accumulate.
    case steps([Step])
    /// Half a cosine from the full rate to `finalFactor` times the full rate over `epochs` (Loshchilov and Hutter
    /// 2017), constant afterwards.
    case cosine(epochs: Int, finalFactor: Double = 0)
    /// A linear rise over the first `steps` updates, from 1/steps of the rate; `then` counts from the start, as if
    /// there were no warm-up.
    indirect case warmUp(steps: Int, then: LearningRateSchedule)
    /// One schedule after the other, each as if training began with this schedule. The first schedule begins with epoch
    /// 0.
    case sequence([Stage])

    /// One stair of ``steps(_:)``.
    public struct Step: Sendable, Hashable {
        /// The epoch, counted from 0, from which on the factor holds.
        public var epoch: Int
        /// The factor on the learning rate.
        public var factor: Double

        /// A factor that holds from an epoch on.
        public init(fromEpoch epoch: Int, factor: Double) {
            self.epoch = epoch
            self.factor = factor
        }
    }

    /// One schedule of ``sequence(_:)``.
    public struct Stage: Sendable, Hashable {
        /// The epoch, counted from 0, from which on the schedule holds; later than the epoch of the stage before.
        public var epoch: Int
        /// The schedule, which counts epochs and steps from ``epoch``.
        public var schedule: LearningRateSchedule

        /// A schedule that holds from an epoch on.
        public init(fromEpoch epoch: Int, schedule: LearningRateSchedule) {
            self.epoch = epoch
            self.schedule = schedule
        }
    }

    /// The factor for an update.
    ///
    /// - Parameters:
    ///   - epoch: counted from 0.
    ///   - step: the number of updates before this update.
    ///   - stepsPerEpoch: the number of updates in an epoch.
    public func factor(epoch: Int, step: Int, stepsPerEpoch: Int) -> Double {
        switch self {
        case .constant:
            return 1
        case .steps(let steps):
            // The loop counts by index: every step runs this code, and other iterations allocate in unoptimised builds.
            var latest = Step(fromEpoch: 0, factor: 1)
            for index in steps.indices where steps[index].epoch <= epoch && steps[index].epoch >= latest.epoch {
                latest = steps[index]
            }
            return latest.factor
        case .cosine(let epochs, let finalFactor):
            let progress = min(Double(step) / max(Double(epochs) * Double(stepsPerEpoch), 1), 1)
            return finalFactor + (1 - finalFactor) * (1 + cos(.pi * progress)) / 2
        case .warmUp(let steps, let then):
            let rise = min(Double(step + 1) / Double(max(steps, 1)), 1)
            return rise * then.factor(epoch: epoch, step: step, stepsPerEpoch: stepsPerEpoch)
        case .sequence(let stages):
            var current = 0
            for index in stages.indices where stages[index].epoch <= epoch { current = index }
            guard current < stages.count else { return 1 }
            let start = stages[current].epoch
            return stages[current].schedule.factor(
                epoch: epoch - start, step: max(step &- start &* stepsPerEpoch, 0), stepsPerEpoch: stepsPerEpoch)
        }
    }

    /// The end of a schedule: from this epoch on, counted from 0, the factor stays the same. `nil` for a schedule
    /// without an end. A warm-up is not counted.
    public var end: (epoch: Int, factor: Double)? {
        switch self {
        case .constant: return nil
        case .steps(let steps):
            // A training with a factor of zero no longer learns.
            guard let last = steps.max(by: { $0.epoch <= $1.epoch }), last.factor == 0 else { return nil }
            return (last.epoch, 0)
        case .cosine(let epochs, let finalFactor): return (epochs, finalFactor)
        case .warmUp(_, let then): return then.end
        case .sequence(let stages):
            guard let last = stages.last, let end = last.schedule.end else { return nil }
            let (epoch, overflows) = last.epoch.addingReportingOverflow(end.epoch)
            return overflows ? nil : (epoch, end.factor)
        }
    }

    /// This schedule up to an epoch, counted from 0, and another schedule from this epoch on.
    public func followed(by schedule: LearningRateSchedule, fromEpoch epoch: Int) -> LearningRateSchedule {
        var before = [Stage(fromEpoch: 0, schedule: self)], after = [Stage(fromEpoch: epoch, schedule: schedule)]
        if case .sequence(let stages) = self { before = stages.filter { $0.epoch < epoch } }
        if case .sequence(let stages) = schedule {
            after = stages.map { Stage(fromEpoch: epoch + $0.epoch, schedule: $0.schedule) }
        }
        return .sequence(before + after)
    }
}

/// The text of a schedule, as in Swift: `cosine(epochs: 30, finalFactor: 0.0)`.
extension LearningRateSchedule: CustomStringConvertible {
    public var description: String {
        switch self {
        case .constant: "constant"
        case .steps(let steps): "steps(\(steps.map { "\($0.epoch): \($0.factor)" }.joined(separator: ", ")))"
        case .cosine(let epochs, let finalFactor): "cosine(epochs: \(epochs), finalFactor: \(finalFactor))"
        case .warmUp(let steps, let then): "warmUp(steps: \(steps), then: \(then))"
        case .sequence(let stages):
            "sequence(\(stages.map { "\($0.epoch): \($0.schedule)" }.joined(separator: ", ")))"
        }
    }
}
