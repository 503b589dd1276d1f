import LinkedNet

/// Every setting of a run, in the order of the line that states the settings at the start of a training.
///
/// A new setting is declared here, and gets a row in the README's table of options. The command's option and help,
/// saved runs, and the comparison with a resumed run follow from the declaration. `settings.name` gives the value to
/// the code in which the value takes effect.
public struct Settings: Sendable {
    /// The network.
    public let model = Setting<ModelName>(
        "model", key: "model", .network, .model,
        help: "Which network: \(ModelName.options); width:N has N units. (default: allcnn)",
        phrase: { model, _ in "\(model)" }, default: { _ in RunOptions.standardModel })

    /// The activation after the network's layers.
    public let activation = Setting<ModelActivation>(
        "activation", key: "activation", .network, .name,
        help: """
            What follows each layer: \(OptionValue.names(ModelActivation.self)). lk-… are linked, g(z) beside g(−z). \
            (default: lk-relu)
            """,
        phrase: { activation, _ in activation.rawValue }, default: { _ in RunOptions.standardActivation })

    /// True for BatchNorm between each layer and its activation.
    public let batchNorm = Setting<Bool>(
        "batch-norm", key: "batchNorm", .network, .flag,
        help: "Normalise batches between each layer and its activation. (default: that of --settings)",
        phrase: { isOn, _ in isOn ? "BatchNorm" : nil }, default: { $0.experiment.batchNorm })

    /// True for the network's dropout layers.
    public let dropout = Setting<Bool>(
        "dropout", key: "dropout", .network, .flag,
        help: "Train with the network's dropout layers, which allcnn alone has. (default: that of --settings)",
        whenAbsent: true,
        problem: { isOn, settings in
            isOn || settings.model == .allCNN
                ? nil
                : SettingProblem(
                    expected: "the model allcnn, the only one with dropout", found: "\(settings.model)")
        },
        phrase: { isOn, _ in isOn ? nil : "no dropout" }, default: { $0.experiment.dropout })

    /// True for √2 times the units of every layer.
    public let widened = Setting<Bool>(
        "sqrt2", key: "widened", .network, .flag, help: "Give every layer √2 times its units.",
        phrase: { isOn, _ in isOn ? "√2 units" : nil }, default: { _ in false })

    /// The initialiser of the kernels of convolutions and hidden dense layers.
    public let initializer = Setting<InitializerName>(
        "init", key: "initializer", .network, .name,
        help: "How weights start: \(OptionValue.names(InitializerName.self)). (default: that of --settings)",
        phrase: { initializer, _ in initializer.rawValue }, default: { $0.experiment.initializer })

    /// The algorithm of the convolutions.
    public let convolution = Setting<ConvolutionAlgorithm>(
        "convolution", key: "convolution", .network, .name,
        help: """
            How convolutions are computed: \(OptionValue.names(ConvolutionAlgorithm.self)). auto takes for each the \
            one that should be faster. (default: auto)
            """,
        phrase: { algorithm, _ in algorithm == .automatic ? nil : "\(algorithm.rawValue) convolutions" },
        default: { _ in .automatic })

    /// The source of the settings that nobody asked for. Runs from before this choice have the paper's settings, so a
    /// saved run doesn't name the paper's preset.
    public let preset = Setting<Preset>(
        "settings", key: "preset", .training, .name,
        help: """
            Whose settings hold where nothing else is said: recipe learns within minutes, paper is the model's \
            experiment in the paper. (default: recipe)
            """,
        whenAbsent: .paper, default: { $0.preset })

    /// The number of images in a step.
    public let batchSize = Setting<Int>(
        "batch-size", key: "batchSize", .training, .wholeNumber(from: 1),
        help: "Images in a step. (default: that of --settings)", problem: { size, _ in Self.problem(size) },
        phrase: { size, _ in "batch size \(size)" }, default: { $0.experiment.batchSize })

    /// The optimizer.
    public let optimizer = Setting<OptimizerName>(
        "optimizer", key: "optimizer", .training, .name,
        help: "How weights follow gradients: \(OptionValue.names(OptimizerName.self)). (default: that of --settings)",
        default: { $0.optimizer })

    /// The learning rate before any schedule or decay.
    public let learningRate = Setting<Double>(
        "learning-rate", key: "learningRate", .training, .number("rate"),
        help: "Learning rate. (default: that of --settings; with another optimizer Keras' default for it)",
        phrase: { rate, settings in "\(settings.optimizer.rawValue) \(rate)" },
        default: { $0.isExperiments ? $0.experiment.learningRate : $0.optimizer.defaultLearningRate })

    /// Nesterov's momentum; 0 for all optimizers but SGD.
    public let momentum = Setting<Double>(
        "momentum", key: "momentum", .training, .number("m"),
        help: "Nesterov momentum, for sgd. (default: that of --settings)",
        problem: { _, settings in
            settings.optimizer == .sgd
                ? nil
                : SettingProblem(
                    expected: "the optimizer sgd, the only one with momentum", found: settings.optimizer.rawValue)
        },
        phrase: { momentum, _ in momentum > 0 ? "momentum \(momentum)" : nil },
        default: { $0.isExperiments ? $0.experiment.momentum : 0 })

    /// Keras' time decay per update.
    public let decay = Setting<Double>(
        "decay", key: "decay", .training, .number("d"),
        help: "Time decay d: update t has the learning rate divided by 1 + d·t. (default: that of --settings)",
        phrase: { decay, _ in decay > 0 ? "decay \(decay)" : nil },
        default: { $0.isExperiments ? $0.experiment.decay : 0 })

    /// The change of the learning rate. The option is a text whose meaning depends on the number of epochs:
    /// ``RunOptions/schedule``.
    public let schedule = Setting<LearningRateSchedule>(
        "schedule", key: "schedule", .training, .schedule,
        help: """
            How the learning rate changes: \(LearningRateSchedule.textOptions). With --resume and more --epochs: in \
            the epochs that are added. (default: that of --settings)
            """,
        whenResumed: .special, ask: { $1.schedule = $0 },
        phrase: { schedule, _ in schedule == .constant ? nil : "schedule \(schedule.text ?? "\(schedule)")" },
        default: { $0.isExperiments ? $0.experiment.schedule : .constant })

    /// The argument of ``DataSource/resolve(_:workingDirectory:)``; `nil` for the default data. A run's settings have
    /// the ``DataSource/argument`` of the run's data here: `nil` for data of one's own.
    public let data = Setting<String?>(
        "data", key: "data", .data, .optional("data", read: { $0 }), help: DataSource.help,
        whenAbsent: .some(nil), whenResumed: .any, default: { _ in nil })

    /// True for ``LinkedNet/Augmentation/paper``.
    public let augments = Setting<Bool>(
        "augment", key: "augments", .data, .flag,
        help: "Flip and shift training images at random. (default: that of --settings)",
        phrase: { isOn, _ in isOn ? "augmented" : "not augmented" }, default: { $0.experiment.augments })

    /// True if each epoch has an order of its own.
    public let shuffles = Setting<Bool>(
        "shuffle", key: "shuffles", .data, .flag,
        help: "A new order of training images in every epoch. (default: that of --settings)",
        phrase: { isOn, _ in isOn ? "shuffled" : "in file order" }, default: { $0.experiment.shuffles })

    /// The number of images to train on, the first images; `nil` for all.
    public let limit = Setting<Int?>(
        "limit", key: "limit", .data, .wholeNumberOrNone(from: 1), help: "Train on the first N images.",
        whenAbsent: .some(nil), problem: { limit, _ in limit.flatMap { Self.problem($0) } },
        phrase: { limit, _ in limit.map { "first \($0) images" } }, default: { _ in nil })

    /// The number of images to test on, the first images; `nil` for all.
    public let testLimit = Setting<Int?>(
        "limit-test", key: "testLimit", .data, .wholeNumberOrNone(from: 1), help: "Test on the first N images.",
        whenAbsent: .some(nil), problem: { limit, _ in limit.flatMap { Self.problem($0) } },
        phrase: { limit, _ in limit.map { "tested on the first \($0)" } }, default: { _ in nil })

    /// The number of epochs of the whole run.
    public let epochs = Setting<Int>(
        "epochs", key: "epochs", .training, .wholeNumber(from: 1),
        help: "Train until N epochs are complete. (default: that of --settings)", whenResumed: .special,
        problem: { epochs, _ in Self.problem(epochs, atMost: RunOptions.mostEpochs) },
        phrase: { epochs, _ in "\(epochs) epochs" }, default: { $0.experiment.epochs })

    /// The seed of all random choices.
    public let seed = Setting<UInt64>(
        "seed", key: "seed", .training, .wholeNumber(from: 0),
        help: "What all random choices follow from. (default: \(Experiment.seed))",
        phrase: { seed, _ in "seed \(seed)" }, default: { _ in Experiment.seed })

    /// All settings, in the order of their declarations.
    public static let all: [any AnySetting] = stored

    static let declared = Settings()
    static let stored: [any StoredSetting] = Mirror(reflecting: declared).children.compactMap {
        $0.value as? any StoredSetting
    }

    private static func problem(_ number: Int, atMost limit: Int? = nil) -> SettingProblem? {
        guard number < 1 || number > limit ?? .max else { return nil }
        return SettingProblem(expected: limit.map { "1 to \($0)" } ?? "at least 1", found: "\(number)")
    }
}
