import ArgumentParser
import LinkedNet

struct NetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Which network; width:N has N units. (default: allcnn)", valueName: "name"))
    var model: ModelName?

    @Option(
        help: ArgumentHelp(
            "What follows each layer; lk-… are linked, g(z) beside g(−z). (default: lk-relu)", valueName: "name"))
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
            "How weights start. (default: that of --settings)", valueName: "name"))
    var initializer: InitializerName?

    @Option(
        help: ArgumentHelp(
            "How convolutions are computed; auto takes for each the one that should be faster. (default: auto)",
            valueName: "name"))
    var convolution: ConvolutionAlgorithm?
}

struct DataOptions: ParsableArguments {
    @Option(help: ArgumentHelp("\(DataSource.help)", valueName: "data"))
    var data: String?

    @Option(help: ArgumentHelp("Train on the first N images.", valueName: "N"))
    var limit: Int?

    @Option(help: ArgumentHelp("Test on the first N images.", valueName: "N"))
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
            "Settings that nothing else is said about: a recipe that learns fast, or the paper's. (default: recipe)",
            valueName: "name"))
    var settings: Preset?

    @Option(
        help: ArgumentHelp("Train until N epochs are complete. (default: that of --settings)", valueName: "N"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Images in a step. (default: that of --settings)", valueName: "N"))
    var batchSize: Int?

    @Option(help: ArgumentHelp("How weights follow gradients. (default: that of --settings)", valueName: "name"))
    var optimizer: OptimizerName?

    @Option(
        help: ArgumentHelp(
            "Learning rate. (default: that of --settings; with another optimizer Keras' default for it)",
            valueName: "rate"))
    var learningRate: Double?

    @Option(
        help: ArgumentHelp(
            "Time decay d: update t has the learning rate divided by 1 + d·t. (default: that of --settings)",
            valueName: "d"))
    var decay: Double?

    @Option(
        help: ArgumentHelp("Nesterov momentum, for sgd. (default: that of --settings)", valueName: "m"))
    var momentum: Double?

    @Option(
        help: ArgumentHelp(
            "How the learning rate changes: \(LearningRateSchedule.textOptions). (default: that of --settings)",
            valueName: "schedule"))
    var schedule: String?

    @Option(
        help: ArgumentHelp("What all random choices follow from. (default: \(Experiment.seed))", valueName: "N"))
    var seed: UInt64?
}

struct RunningOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Stop after N steps, counted from this start.", valueName: "N"))
    var steps: Int?

    @Option(help: ArgumentHelp("Use N threads. The results are the same. (default: all CPUs)", valueName: "N"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Where to save the run. (default: the first of runs/MODEL-ACTIVATION-1, -2, … that isn't there)",
            valueName: "dir"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Continue the run saved there, with its settings, of which only more --epochs and another place of the same --data may be given.",
            valueName: "dir"))
    var resume: String?

    @Option(
        help: ArgumentHelp(
            "Save the run after every so many steps (500 or 500steps) or minutes (10min) too, not only after epochs. (default: 10min)",
            valueName: "interval"))
    var saveEvery: SaveInterval?

    @Flag(help: "Show layers and memory, and don't train.")
    var dryRun = false

    @Flag(help: "Print a JSON object per event and line on standard output; text for people goes to standard error.")
    var json = false

    @Option(help: ArgumentHelp("Report every N-th step.", valueName: "N"))
    var logEvery: Int?

    func validate() throws {
        for (option, value) in [("--steps", steps), ("--threads", threads), ("--log-every", logEvery)] {
            if let value, value < 1 { throw ValidationError("\(option): expected at least 1, found \(value)") }
        }
        if resume != nil, output != nil {
            throw ValidationError("--output: a resumed run stays in its directory; expected --resume alone, found both")
        }
        if output == "" { throw ValidationError("--output: expected a directory, found an empty name") }
        if resume == "" { throw ValidationError("--resume: expected the directory of a run, found an empty name") }
    }
}

extension ModelName: ExpressibleByArgument {
    public static var allValueStrings: [String] {
        ["allcnn", "depth", "width50", "width400", "width:N", "extended", "resnet50"]
    }
}

extension SaveInterval: ExpressibleByArgument {
    public init?(argument: String) { try? self.init(text: argument) }
}

extension ModelActivation: ExpressibleByArgument {}
extension Preset: ExpressibleByArgument {}
extension OptimizerName: ExpressibleByArgument {}
extension InitializerName: ExpressibleByArgument {}
extension ConvolutionAlgorithm: ExpressibleByArgument {}
