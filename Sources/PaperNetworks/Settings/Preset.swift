import LinkedNet

/// Which settings a run has where nobody asked for others, by the names that commands take.
public enum Preset: String, Sendable, Hashable, Codable, CaseIterable {
    /// Settings with which each model learns within minutes on two cores.
    case recipe
    /// The settings of each model's experiment in the paper, but for the number of epochs:
    /// ``RunOptions/paperEpochs`` unless asked otherwise.
    case paper

    /// The settings of a model.
    ///
    /// - Parameters:
    ///   - linked: true for linked activations.
    ///   - epochs: the length of the run; `nil` for the preset's own.
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
    /// The steps over which the learning rate rises. It falls along a cosine from then to the end of the run.
    var warmUpSteps: Int
    var batchSize: Int
    var augments = false
    var shuffles = true
    var initializer = InitializerName.glorotUniform
    var batchNorm: Bool
    var epochs: Int

    /// The rate at the end of a run, as a share of the rate at its beginning: above zero, so that a run that is given
    /// more epochs goes on learning.
    private static let finalFactor = 0.01

    /// Every figure of the recipe, which is the same for plain and linked activations.
    init(_ model: ModelName) {
        switch model {
        // A test accuracy of 0.8821 after the one epoch of 60,000 images.
        case .allCNN: self.init(warmUpSteps: 100, batchSize: 16, epochs: 1)
        case .width: self.init(epochs: 5)
        case .depth: self.init(warmUpSteps: 100, epochs: 10)
        case .extended: self.init(warmUpSteps: 100, epochs: 5)
        case .resNet50: self.init(warmUpSteps: 100, batchNorm: true, epochs: 3)
        }
    }

    private init(warmUpSteps: Int = 0, batchSize: Int = 32, batchNorm: Bool = false, epochs: Int) {
        (self.warmUpSteps, self.batchSize, self.batchNorm, self.epochs) = (warmUpSteps, batchSize, batchNorm, epochs)
    }

    /// The settings of a run of `epochs` epochs; `nil` for the recipe's own number.
    func experiment(epochs wanted: Int?) -> Experiment {
        let epochs = wanted ?? epochs
        let cosine = LearningRateSchedule.cosine(epochs: epochs, finalFactor: Self.finalFactor)
        return Experiment(
            optimizer: optimizer, learningRate: learningRate, decay: decay, momentum: momentum,
            schedule: warmUpSteps > 0 ? .warmUp(steps: warmUpSteps, then: cosine) : cosine, batchSize: batchSize,
            augments: augments, shuffles: shuffles, initializer: initializer, batchNorm: batchNorm, epochs: epochs)
    }
}
