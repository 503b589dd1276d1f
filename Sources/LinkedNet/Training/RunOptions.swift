/// What someone who starts or resumes a run asks for; `nil` leaves a setting as the model's experiment, or the resumed
/// run, has it.
public struct RunOptions: Sendable, Hashable {
    /// The network.
    public var model: ModelName?
    /// The activation after its layers.
    public var activation: ModelActivation?
    /// True for BatchNorm between each layer and its activation.
    public var batchNorm: Bool?
    /// True for √2 times the units.
    public var widened: Bool?
    /// How the kernels of convolutions and hidden dense layers start.
    public var initializer: InitializerName?
    /// How convolutions are computed.
    public var convolution: ConvolutionAlgorithm?
    /// What ``DataSource/resolve(_:workingDirectory:)`` takes.
    public var data: String?
    /// The number of images to train on, from the first.
    public var limit: Int?
    /// The number of epochs of the whole run.
    public var epochs: Int?
    /// Images in a step.
    public var batchSize: Int?
    /// The optimizer.
    public var optimizer: OptimizerName?
    /// The learning rate before any schedule or decay.
    public var learningRate: Double?
    /// Keras' time decay per update.
    public var decay: Double?
    /// Nesterov's, for SGD.
    public var momentum: Double?
    /// As ``LearningRateSchedule/init(text:epochs:)`` takes it.
    public var schedule: String?
    /// True for ``Augmentation/paper``.
    public var augments: Bool?
    /// True if each epoch has an order of its own.
    public var shuffles: Bool?
    /// What all random choices follow from.
    public var seed: UInt64?

    /// Nothing in particular.
    public init() {}

    /// The epochs of a run that nobody gave a number: a first look, not the paper's length.
    public static let defaultEpochs = 10
    /// The most epochs that a run may have: no product with an epoch's steps overflows.
    public static let mostEpochs = Int(Int32.max)

    /// The settings of a new run: AllCNN with LK-ReLU unless asked otherwise, as in the model's experiment.
    ///
    /// With an optimizer that isn't the experiment's, its rate, decay, momentum and schedule don't apply: the rate is
    /// then Keras' default for the optimizer.
    ///
    /// - Throws: ``SettingsError`` naming the option that makes no sense, alone or beside the others.
    public func settings() throws(SettingsError) -> RunSettings {
        let model = model ?? .allCNN
        let activation = activation ?? .linkedReLU
        let experiment = model.experiment(linked: activation.isLinked)
        let optimizer = optimizer ?? experiment.optimizer
        let isExperiments = optimizer == experiment.optimizer
        let epochs = epochs ?? Self.defaultEpochs
        try check("--epochs", epochs, atMost: Self.mostEpochs)
        if let limit { try check("--limit", limit) }
        if let batchSize { try check("--batch-size", batchSize) }
        if momentum != nil, optimizer != .sgd {
            throw SettingsError(
                option: "--momentum", expected: "the optimizer sgd, the only one with momentum",
                found: optimizer.rawValue)
        }
        var schedule = isExperiments ? experiment.schedule : .constant
        if let text = self.schedule { schedule = try LearningRateSchedule(text: text, epochs: epochs) }
        let settings = RunSettings(
            model: model, activation: activation, batchNorm: batchNorm ?? experiment.batchNorm,
            widened: widened ?? false,
            initializer: initializer ?? experiment.initializer, convolution: convolution ?? .automatic, data: data,
            limit: limit, epochs: epochs, batchSize: batchSize ?? experiment.batchSize, optimizer: optimizer,
            learningRate: learningRate ?? (isExperiments ? experiment.learningRate : optimizer.defaultLearningRate),
            decay: decay ?? (isExperiments ? experiment.decay : 0),
            momentum: momentum ?? (isExperiments ? experiment.momentum : 0), schedule: schedule,
            augments: augments ?? experiment.augments, shuffles: shuffles ?? experiment.shuffles,
            seed: seed ?? Experiment.seed)
        do throws(OptimizerError) {
            _ = try settings.makeOptimizer()
        } catch {
            throw SettingsError(
                option: "--" + error.setting.replacing(" ", with: "-"), expected: error.expected, found: error.found)
        }
        return settings
    }

    /// The options that ask for something else than a run has, with both values. More epochs, and the place of the
    /// data, are no contradiction.
    ///
    /// - Throws: ``SettingsError`` for a schedule that is none, or a number of epochs that no run can have.
    public func contradictions(to settings: RunSettings) throws(SettingsError) -> [SettingsError] {
        var found: [SettingsError] = []
        func compare<Value: Equatable>(
            _ option: String, _ wanted: Value?, _ own: Value?, _ text: (Value) -> String = { "\($0)" }
        ) {
            guard let wanted, wanted != own else { return }
            found.append(
                SettingsError(
                    option: option, expected: (own.map(text) ?? "none") + " as in the resumed run", found: text(wanted))
            )
        }
        compare("--model", model, settings.model)
        compare("--activation", activation, settings.activation, \.rawValue)
        compare("--batch-norm", batchNorm, settings.batchNorm)
        compare("--sqrt2", widened, settings.widened)
        compare("--init", initializer, settings.initializer, \.rawValue)
        compare("--convolution", convolution, settings.convolution, \.rawValue)
        compare("--limit", limit, settings.limit)
        compare("--batch-size", batchSize, settings.batchSize)
        compare("--optimizer", optimizer, settings.optimizer, \.rawValue)
        compare("--learning-rate", learningRate, settings.learningRate)
        compare("--decay", decay, settings.decay)
        compare("--momentum", momentum, settings.momentum)
        if let schedule {
            let wanted = try LearningRateSchedule(text: schedule, epochs: settings.epochs)
            compare("--schedule", wanted, settings.schedule) { $0.text ?? "\($0)" }
        }
        compare("--augment", augments, settings.augments)
        compare("--shuffle", shuffles, settings.shuffles)
        compare("--seed", seed, settings.seed)
        if let epochs { try check("--epochs", epochs, atMost: Self.mostEpochs) }
        if let epochs, epochs < settings.epochs {
            found.append(
                SettingsError(
                    option: "--epochs", expected: "at least the \(settings.epochs) of the resumed run",
                    found: "\(epochs)"))
        }
        return found
    }

    private func check(_ option: String, _ value: Int, atMost limit: Int? = nil) throws(SettingsError) {
        guard value >= 1, value <= limit ?? .max else {
            throw SettingsError(
                option: option, expected: limit.map { "1 to \($0)" } ?? "at least 1", found: "\(value)")
        }
    }
}
