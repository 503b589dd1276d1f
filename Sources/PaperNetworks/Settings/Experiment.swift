import LinkedNet

/// The settings of a model's training. ``ModelName/experiment(linked:)`` has the paper's settings.
public struct Experiment: Sendable, Hashable {
    /// The optimizer.
    public var optimizer: OptimizerName
    /// The learning rate before any schedule or decay.
    public var learningRate: Double
    /// Keras' time decay per update.
    public var decay: Double
    /// Nesterov's momentum, for SGD.
    public var momentum: Double
    /// The change of the learning rate during the training.
    public var schedule: LearningRateSchedule
    /// The number of images in a step.
    public var batchSize: Int
    /// True for ``Augmentation/paper``.
    public var augments: Bool
    /// True if each epoch has an order of its own.
    public var shuffles: Bool
    /// The initialiser of the weights.
    public var initializer: InitializerName
    /// True for BatchNorm between each layer and its activation.
    public var batchNorm: Bool
    /// True for the network's dropout layers.
    public var dropout: Bool
    /// The number of epochs.
    public var epochs: Int

    /// The seed of all of the paper's experiments.
    public static let seed: UInt64 = 100
}

extension ModelName {
    /// The settings of the paper's experiment with this model (Tables 1 to 6).
    ///
    /// ResNet50 has BatchNorm after every convolution (Table 5). For AllCNN, the best of three schedules counts in the
    /// paper. The experiment here has the step schedule from 0.01, which equals the constant schedule up to epoch 500.
    ///
    /// - Parameter linked: true for linked activations. The paper then trains AllCNN with larger batches.
    public func experiment(linked: Bool) -> Experiment {
        switch self {
        case .width:
            Experiment(
                optimizer: .sgd, learningRate: 0.01, decay: 0, momentum: 0, schedule: .constant, batchSize: 32,
                augments: false, shuffles: false, initializer: .glorotUniform, batchNorm: false, dropout: true,
                epochs: 50)
        case .depth:
            Experiment(
                optimizer: .adam, learningRate: 1e-3, decay: 0, momentum: 0, schedule: .constant, batchSize: 32,
                augments: false, shuffles: false, initializer: .glorotUniform, batchNorm: false, dropout: true,
                epochs: 200)
        case .extended:
            Experiment(
                optimizer: .rmsProp, learningRate: 1e-4, decay: 1e-6, momentum: 0, schedule: .constant, batchSize: 32,
                augments: false, shuffles: false, initializer: .glorotNormal, batchNorm: false, dropout: true,
                epochs: 200)
        case .allCNN:
            Experiment(
                optimizer: .sgd, learningRate: 0.01, decay: 1e-6, momentum: 0.9, schedule: .allCNN,
                batchSize: linked ? 128 : 32, augments: true, shuffles: true, initializer: .glorotUniform,
                batchNorm: false, dropout: true,
                epochs: 3000)
        case .resNet50:
            Experiment(
                optimizer: .adam, learningRate: 1e-3, decay: 1e-6, momentum: 0, schedule: .constant, batchSize: 128,
                augments: true, shuffles: true, initializer: .glorotUniform, batchNorm: true, dropout: true,
                epochs: 2000)
        }
    }
}
