#if canImport(Glibc)
import Glibc
#else
import Foundation
#endif

/// How the learning rate changes while training goes on: a factor on the optimizer's learning rate.
///
/// Keras' time decay is the optimizer's own and comes on top.
public enum LearningRateSchedule: Sendable, Hashable {
    /// The learning rate stays.
    case constant
    /// From each `epoch` (counted from 0) on, the learning rate is multiplied by `factor`; factors don't accumulate.
    case steps([Step])
    /// Half a cosine from the full rate to `finalFactor` times it over `epochs` (Loshchilov and Hutter 2017), constant
    /// afterwards.
    case cosine(epochs: Int, finalFactor: Double = 0)
    /// Rises in a line over the first `steps` updates, from 1/steps of the rate; `then` runs from the start as if there
    /// were no warm-up.
    indirect case warmUp(steps: Int, then: LearningRateSchedule)

    /// One stair of ``steps(_:)``.
    public struct Step: Sendable, Hashable {
        /// The epoch, counted from 0, from which on the factor holds.
        public var epoch: Int
        /// What the learning rate is multiplied by.
        public var factor: Double

        /// A factor that holds from an epoch on.
        public init(fromEpoch epoch: Int, factor: Double) {
            self.epoch = epoch
            self.factor = factor
        }
    }

    /// The paper's schedule for AllCNN: 1 to epoch 500, 0.75 to 2000, 0.5 to 2350, 0.1 to 2750, then 0.05.
    public static let allCNN = steps([
        Step(fromEpoch: 500, factor: 0.75), Step(fromEpoch: 2000, factor: 0.5), Step(fromEpoch: 2350, factor: 0.1),
        Step(fromEpoch: 2750, factor: 0.05),
    ])

    /// The factor for an update.
    ///
    /// - Parameters:
    ///   - epoch: counted from 0.
    ///   - step: updates before this one.
    ///   - stepsPerEpoch: updates in an epoch.
    public func factor(epoch: Int, step: Int, stepsPerEpoch: Int) -> Double {
        switch self {
        case .constant:
            return 1
        case .steps(let steps):
            // By index: this runs in every step, and other iterations allocate in unoptimised builds.
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
        }
    }
}
