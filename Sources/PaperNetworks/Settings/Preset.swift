import LinkedNet

/// The sets of settings for a run where nobody asked for other values, by the names that commands take.
public enum Preset: String, Sendable, Hashable, Codable, CaseIterable {
    /// Settings with which each model learns within minutes on two cores.
    case recipe
    /// The settings of each model's experiment in the paper, except the number of epochs: ``RunOptions/paperEpochs``
    /// unless asked otherwise.
    case paper

    /// The settings of a model.
    ///
    /// - Parameters:
    ///   - linked: true for linked activations.
    ///   - epochs: the number of epochs of the run; `nil` for the preset's own number.
    func experiment(_ model: ModelName, linked: Bool, epochs: Int?) -> Experiment {
        switch self {
        case .recipe: return Recipe(model).experiment(epochs: epochs)
        case .paper:
            var experiment = model.experiment(linked: linked)
            experiment.epochs = epochs ?? RunOptions.paperEpochs
            return experiment
        }
    }
}

/// The settings of ``Preset/recipe``, measured on Fashion-MNIST and the generated shapes.
private struct Recipe {
    var optimizer = OptimizerName.adam
    var learningRate = 1e-3
    var decay = 0.0
    var momentum = 0.0
    /// The steps over which the learning rate rises. After these steps the learning rate falls along a cosine to the
    /// end of the run.
    var warmUpSteps: Int
    var batchSize: Int
    var augments = false
    var shuffles = true
    var initializer = InitializerName.glorotUniform
    var batchNorm: Bool
    var dropout: Bool
    var epochs: Int

    /// The learning rate at the end of a run, as a share of the full rate. The share is above zero, so that a run with
    /// added epochs goes on learning.
    private static let finalFactor = 0.01

    /// All numbers of the recipe. Plain and linked activations have the same numbers.
    init(_ model: ModelName) {
        switch model {
        // The test accuracy is 0.8955 after the one epoch of 60,000 images. With dropout, the accuracy is 0.8821.
        case .allCNN: self.init(warmUpSteps: 100, batchSize: 16, dropout: false, epochs: 1)
        case .width: self.init(epochs: 5)
        case .depth: self.init(warmUpSteps: 100, epochs: 10)
        case .extended: self.init(warmUpSteps: 100, epochs: 5)
        case .resNet50: self.init(warmUpSteps: 100, batchNorm: true, epochs: 3)
        }
    }

    private init(
        warmUpSteps: Int = 0, batchSize: Int = 32, batchNorm: Bool = false, dropout: Bool = true, epochs: Int
    ) {
        (self.warmUpSteps, self.batchSize, self.epochs) = (warmUpSteps, batchSize, epochs)
        (self.batchNorm, self.dropout) = (batchNorm, dropout)
    }

    /// The settings of a run of `wanted` epochs; `nil` for the recipe's own number.
    func experiment(epochs wanted: Int?) -> Experiment {
        let epochs = wanted ?? epochs
        let cosine = LearningRateSchedule.cosine(epochs: epochs, finalFactor: Self.finalFactor)
        return Experiment(
            optimizer: optimizer, learningRate: learningRate, decay: decay, momentum: momentum,
            schedule: warmUpSteps > 0 ? .warmUp(steps: warmUpSteps, then: cosine) : cosine, batchSize: batchSize,
            augments: augments, shuffles: shuffles, initializer: initializer, batchNorm: batchNorm, dropout: dropout,
            epochs: epochs)
    }
}
