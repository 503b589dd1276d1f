import ArgumentParser
import CommandSupport
import LinkedNet
import PaperNetworks

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

    @Flag(help: "With --dry-run, show each step of the compiled network and its buffers, too.")
    var plan = false

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
        if plan, !dryRun { throw ValidationError("--plan: expected --dry-run beside it, found --plan alone") }
        if output == "" { throw ValidationError("--output: expected a directory, found an empty name") }
        if resume == "" { throw ValidationError("--resume: expected the directory of a run, found an empty name") }
    }
}

/// The interval between saves, with the text as given.
struct GivenInterval {
    let text: String
    let interval: SaveInterval

    init(_ text: String) throws {
        self.text = text
        interval = try OptionValue.saveInterval(text)
    }
}
