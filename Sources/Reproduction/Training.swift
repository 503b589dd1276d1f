import LinkedNet
import PaperNetworks

/// A training of the reproduction, without seed and length: a network and the network's images.
package struct Training: Sendable, Hashable {
    package var model: ModelName
    package var activation: ModelActivation
    package var batchNorm: Bool
    /// True for √2 times the units.
    package var widened: Bool
    package var policy: LearningRatePolicy = .experiments
    package var pixels: PixelRange = .unit

    package init(_ model: ModelName, _ activation: ModelActivation, batchNorm: Bool = false, widened: Bool = false) {
        self.model = model
        self.activation = activation
        self.batchNorm = batchNorm
        self.widened = widened
    }

    /// The name of the training's directory: `depth-lk-relu`, `allcnn-selu-fixed-0.01`.
    package var id: String {
        var parts = [model.description, activation.rawValue]
        if batchNorm { parts.append("bn") }
        if widened { parts.append("sqrt2") }
        if policy != .experiments { parts.append(policy.rawValue) }
        if pixels != .unit { parts.append(pixels.rawValue) }
        return parts.joined(separator: "-").replacing(":", with: "")
    }

    /// The settings of a run: the model's experiment in the paper, with the differences of this training.
    func settings(_ budget: Budget, seed: UInt64) throws -> RunSettings {
        var options = RunOptions()
        options.preset = .paper
        options.model = model
        options.activation = activation
        options.batchNorm = batchNorm
        options.widened = widened
        options.limit = budget.images
        options.epochs = budget.epochs
        options.seed = seed
        policy.apply(to: &options)
        return try options.settings()
    }
}

/// The change of AllCNN's learning rate. Table 4 has the best of three policies. Other models have the policy of their
/// experiment.
package enum LearningRatePolicy: String, Sendable, Hashable, CaseIterable {
    /// The experiment's own policy. For AllCNN this is the step schedule from 0.01.
    case experiments
    /// 0.01 throughout.
    case fixed = "fixed-0.01"
    /// The step schedule from 0.001.
    case steps = "steps-0.001"

    /// The text on pages for AllCNN: `steps from 0.01`.
    package var title: String {
        switch self {
        case .experiments: "steps from 0.01"
        case .fixed: "0.01"
        case .steps: "steps from 0.001"
        }
    }

    fileprivate func apply(to options: inout RunOptions) {
        switch self {
        case .experiments: break
        case .fixed: options.schedule = "constant"
        case .steps: options.learningRate = 0.001
        }
    }
}
