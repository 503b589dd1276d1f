/// What someone who starts or resumes a run asks for; `nil` leaves a setting as the ``Preset``, or the resumed run, has
/// it.
public struct RunOptions: Sendable, Hashable {
    /// Where all settings come from for which nothing is asked here; the recipe if `nil`.
    public var preset: Preset?
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
    /// The number of images to test on, from the first.
    public var testLimit: Int?
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
    /// As ``LearningRateSchedule/init(text:epochs:)`` takes it. Beside more epochs for a resumed run: the schedule of
    /// the epochs that are added, as if training began with them.
    public var schedule: String?
    /// True for ``Augmentation/paper``.
    public var augments: Bool?
    /// True if each epoch has an order of its own.
    public var shuffles: Bool?
    /// What all random choices follow from.
    public var seed: UInt64?

    /// Nothing in particular.
    public init() {}

    /// The epochs of a run with the paper's settings that nobody gave a number: a first look, not the paper's length.
    public static let paperEpochs = 10
    /// The most epochs that a run may have: no product with an epoch's steps overflows.
    public static let mostEpochs = Int(Int32.max)

    /// The settings of a new run: AllCNN with LK-ReLU unless asked otherwise, with the preset's settings for it.
    ///
    /// With an optimizer that isn't the preset's, its rate, decay, momentum and schedule don't apply: the rate is then
    /// Keras' default for the optimizer, and constant.
    ///
    /// - Throws: ``SettingsError`` naming the option that makes no sense, alone or beside the others.
    public func settings() throws(SettingsError) -> RunSettings {
        let model = model ?? .allCNN
        let activation = activation ?? .linkedReLU
        let preset = preset ?? .recipe
        if let epochs { try check("--epochs", epochs, atMost: Self.mostEpochs) }
        let experiment = preset.experiment(model, linked: activation.isLinked, epochs: epochs)
        let optimizer = optimizer ?? experiment.optimizer
        let isExperiments = optimizer == experiment.optimizer
        let epochs = experiment.epochs
        if let limit { try check("--limit", limit) }
        if let testLimit { try check("--limit-test", testLimit) }
        if let batchSize { try check("--batch-size", batchSize) }
        if momentum != nil, optimizer != .sgd {
            throw SettingsError(
                option: "--momentum", expected: "the optimizer sgd, the only one with momentum",
                found: optimizer.rawValue)
        }
        var schedule = isExperiments ? experiment.schedule : .constant
        if let text = self.schedule { schedule = try LearningRateSchedule(text: text, epochs: epochs) }
        let settings = RunSettings(
            preset: preset, model: model, activation: activation, batchNorm: batchNorm ?? experiment.batchNorm,
            widened: widened ?? false,
            initializer: initializer ?? experiment.initializer, convolution: convolution ?? .automatic, data: data,
            limit: limit, testLimit: testLimit, epochs: epochs, batchSize: batchSize ?? experiment.batchSize,
            optimizer: optimizer,
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

    /// The options that ask for something else than a run has, with both values. More epochs, a schedule for these, and
    /// the place of the data are no contradiction.
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
        compare("--settings", preset, settings.preset, \.rawValue)
        compare("--model", model, settings.model)
        compare("--activation", activation, settings.activation, \.rawValue)
        compare("--batch-norm", batchNorm, settings.batchNorm)
        compare("--sqrt2", widened, settings.widened)
        compare("--init", initializer, settings.initializer, \.rawValue)
        compare("--convolution", convolution, settings.convolution, \.rawValue)
        compare("--limit", limit, settings.limit)
        compare("--limit-test", testLimit, settings.testLimit)
        compare("--batch-size", batchSize, settings.batchSize)
        compare("--optimizer", optimizer, settings.optimizer, \.rawValue)
        compare("--learning-rate", learningRate, settings.learningRate)
        compare("--decay", decay, settings.decay)
        compare("--momentum", momentum, settings.momentum)
        if let schedule, epochs ?? 0 <= settings.epochs, try !isSchedule(of: settings, schedule) {
            found.append(
                SettingsError(
                    option: "--schedule",
                    expected:
                        "\(settings.schedule.text ?? "none") as in the resumed run, or another one for added epochs "
                        + "beside more --epochs than its \(settings.epochs)",
                    found: schedule))
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

    /// The schedule that these options give to the epochs that they add to a run; `nil` if the run's own goes on.
    ///
    /// - Throws: ``SettingsError`` for a schedule that is none.
    public func addedSchedule(to settings: RunSettings) throws(SettingsError) -> LearningRateSchedule? {
        guard let schedule, let epochs, epochs > settings.epochs else { return nil }
        let wanted = try LearningRateSchedule(text: schedule, epochs: epochs - settings.epochs)
        // Said again it is no other one, unless there is nothing left of it.
        if settings.schedule.end.map({ $0.epoch > settings.epochs }) ?? true, wanted == settings.schedule { return nil }
        return wanted
    }

    /// True if a text says the schedule of a run, or of the epochs that were added to it last.
    private func isSchedule(of settings: RunSettings, _ text: String) throws(SettingsError) -> Bool {
        if try LearningRateSchedule(text: text, epochs: settings.epochs) == settings.schedule { return true }
        guard case .sequence(let stages) = settings.schedule, let last = stages.last else { return false }
        return try LearningRateSchedule(text: text, epochs: max(settings.epochs - last.epoch, 1)) == last.schedule
    }

    private func check(_ option: String, _ value: Int, atMost limit: Int? = nil) throws(SettingsError) {
        guard value >= 1, value <= limit ?? .max else {
            throw SettingsError(
                option: option, expected: limit.map { "1 to \($0)" } ?? "at least 1", found: "\(value)")
        }
    }
}
