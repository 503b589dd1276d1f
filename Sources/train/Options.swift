import ArgumentParser
import CommandSupport
import LinkedNet

struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which network: \(ModelName.options); width:N has N units. (default: allcnn)", valueName: "name"),
        transform: OptionValue.model)
    var model: ModelName?

    @Option(
        help: ArgumentHelp(
            """
            What follows each layer: \(OptionValue.names(ModelActivation.self)). lk-… are linked, g(z) beside g(−z). \
            (default: lk-relu)
            """, valueName: "name"),
        transform: OptionValue.name(of: ModelActivation.self))
    var activation: ModelActivation?

    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: "Normalise batches between each layer and its activation. (default: that of --settings)")
    var batchNorm: Bool?

    @Flag(name: .customLong("sqrt2"), help: "Give every layer √2 times its units.")
    var sqrt2 = false

    @Option(
        name: .customLong("init"),
        help: ArgumentHelp(
            "How weights start: \(OptionValue.names(InitializerName.self)). (default: that of --settings)",
            valueName: "name"),
        transform: OptionValue.name(of: InitializerName.self))
    var initializer: InitializerName?

    @Option(
        help: ArgumentHelp(
            """
            How convolutions are computed: \(OptionValue.names(ConvolutionAlgorithm.self)). auto takes for each the \
            one that should be faster. (default: auto)
            """, valueName: "name"),
        transform: OptionValue.name(of: ConvolutionAlgorithm.self))
    var convolution: ConvolutionAlgorithm?
}

struct DataOptions: ParsableArguments {
    @Option(help: ArgumentHelp("\(DataSource.help)", valueName: "data"))
    var data: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Train on the first N images.", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var limit: Int?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Test on the first N images.", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var limitTest: Int?

    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: "Flip and shift training images at random. (default: that of --settings)")
    var augment: Bool?

    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: "A new order of training images in every epoch. (default: that of --settings)")
    var shuffle: Bool?
}

struct TrainingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Whose settings hold where nothing else is said: recipe learns within minutes, paper is the model's \
            experiment in the paper. (default: recipe)
            """, valueName: "name"),
        transform: OptionValue.name(of: Preset.self))
    var settings: Preset?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Train until N epochs are complete. (default: that of --settings)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var epochs: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Images in a step. (default: that of --settings)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "How weights follow gradients: \(OptionValue.names(OptimizerName.self)). (default: that of --settings)",
            valueName: "name"),
        transform: OptionValue.name(of: OptimizerName.self))
    var optimizer: OptimizerName?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Learning rate. (default: that of --settings; with another optimizer Keras' default for it)",
            valueName: "rate"),
        transform: OptionValue.number)
    var learningRate: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Time decay d: update t has the learning rate divided by 1 + d·t. (default: that of --settings)",
            valueName: "d"),
        transform: OptionValue.number)
    var decay: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Nesterov momentum, for sgd. (default: that of --settings)", valueName: "m"),
        transform: OptionValue.number)
    var momentum: Double?

    @Option(
        help: ArgumentHelp(
            """
            How the learning rate changes: \(LearningRateSchedule.textOptions). With --resume and more --epochs: in \
            the epochs that are added. (default: that of --settings)
            """, valueName: "schedule"))
    var schedule: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What all random choices follow from. (default: \(Experiment.seed))", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 0))
    var seed: UInt64?
}

struct RunningOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Stop after N steps, counted from this start.", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Use N threads. The results are the same. (default: OMP_NUM_THREADS, or all CPUs)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Where to save the run. (default: the first of runs/MODEL-ACTIVATION-1, -2, … that isn't there)",
            valueName: "dir"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            """
            Continue the run saved there, with its settings, of which only more --epochs, a --schedule for these, and \
            another place of the same --data may be given.
            """, valueName: "dir"))
    var resume: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Save the run after every so many steps (500 or 500steps) or minutes (10min) too, not only after epochs. \
            (default: 10min)
            """, valueName: "interval"),
        transform: GivenInterval.init)
    var saveEvery: GivenInterval?

    @Flag(help: "Train although another process may train the run. Nothing keeps two from damaging it then.")
    var noLock = false

    @Flag(help: "Show layers and memory, and don't train.")
    var dryRun = false

    @Flag(help: "Print a JSON object per event and line on standard output; text for people goes to standard error.")
    var json = false

    @Flag(help: "Show no progress between the lines of the epochs.")
    var quiet = false

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Report every N-th step.", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var logEvery: Int?

    func validate() throws {
        if resume != nil, output != nil {
            throw ValidationError("--output: a resumed run stays in its directory; expected --resume alone, found both")
        }
        if output == "" { throw ValidationError("--output: expected a directory, found an empty name") }
        if resume == "" { throw ValidationError("--resume: expected the directory of a run, found an empty name") }
    }
}

/// How often a run is to be saved, as it was given.
struct GivenInterval {
    let text: String
    let interval: SaveInterval

    init(_ text: String) throws {
        self.text = text
        interval = try OptionValue.saveInterval(text)
    }
}
