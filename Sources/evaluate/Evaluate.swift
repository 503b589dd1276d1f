import ArgumentParser
import CommandSupport
import Foundation
import LinkedNet
import PaperNetworks

@main
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a trained network on test images.",
        discussion: """
            Examples:
              evaluate runs/allcnn-lk-relu-1
              evaluate runs/allcnn-lk-relu-1 --data data --confusion
              evaluate runs/allcnn-lk-relu-1 --digest

            Exit status: 0 done, 1 another failure, 64 wrong options, 65 a wrong run or wrong data, 66 a missing run \
            or missing data, 71 out of memory or threads, 74 a file that can't be read.
            """)

    @Argument(help: ArgumentHelp("The directory of a run, or one of its checkpoints.", valueName: "run"))
    var path: String

    @Option(help: ArgumentHelp("\(DataSource.options). (default: the run's)", valueName: "data"))
    var data: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Test on the first N images. (default: all, also if the run was tested on fewer)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var limitTest: Int?

    @Flag(help: "Show how many images of each class were taken for each.")
    var confusion = false

    @Flag(help: "Show how many neurons of each layer are zero for every training image, and nothing else.")
    var deadNeurons = false

    @Flag(
        help: ArgumentHelp(
            "Show the SHA-256 of the weights, and nothing else.",
            discussion: "Of parameters and BatchNorm statistics in name order, as little-endian float32."))
    var digest = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Use N threads. The results are the same. (default: OMP_NUM_THREADS, or all CPUs)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var threads: Int?

    @Flag(help: "Print one line with a JSON object.")
    var json = false

    @Flag(help: "Show no progress.")
    var quiet = false

    func validate() throws {
        let others = [
            ("--data", data != nil), ("--limit-test", limitTest != nil), ("--confusion", confusion),
            ("--dead-neurons", deadNeurons),
        ]
        try refuse(digest, "--digest", others.filter { $0.1 }.map(\.0))
        try refuse(
            deadNeurons, "--dead-neurons",
            others.filter { $0.1 && ["--limit-test", "--confusion"].contains($0.0) }.map(\.0))
    }

    /// Throws if other options are given beside an option that shows nothing else.
    private func refuse(_ isGiven: Bool, _ option: String, _ others: [String]) throws {
        guard isGiven, let found = others.first else { return }
        throw ValidationError("\(option): expected no \(found) beside it, found both")
    }

    private static let failure = Failure(of: "evaluate")

    static func main() {
        run(reporting: failure) { try $0.run() }
    }

    func run() throws {
        if digest {
            let digest = try SavedRun.digest(path, warn: Self.failure.warn)
            return show(json ? "{\"digest\":\"\(digest)\"}" : digest)
        }
        Self.failure.prepareKernels(threads: threads)
        let saved = try SavedPaperRun(path)
        Self.failure.warn(saved.damage)
        let source = try data.map { try DataSource.resolve($0) } ?? saved.data()
        // Images that the network can't take cause an error with its own message, so no warning comes before the error.
        let fits =
            source.test.imageShape == saved.network.inputShape
            && source.test.classCount == saved.network.outputShape.elementCount
        if fits, let warning = saved.classWarning(about: source.test) { Self.failure.warn(warning) }
        if deadNeurons {
            let found = try saved.deadNeurons(on: source)
            return show(json ? try DeadNeuronReport.json(found) : DeadNeuronReport.text(found))
        }
        if let limitTest, limitTest > source.test.count {
            Self.failure.warn("--limit-test \(limitTest): there are \(source.test.count) test images, and all are used")
        }
        let test = limitTest.map { source.test.prefix($0) } ?? source.test
        // The progress goes to standard error, because standard output has only the result.
        let progress = ProgressDisplay(.standardError, isQuiet: quiet || !Output.standardError.isTerminal)
        progress.beginTest()
        defer { progress.end() }
        let result = try saved.evaluate(on: test) { progress.show($0) }
        progress.end()
        let report = Report(result, of: test, confusion: confusion)
        show(json ? try report.json() : report.text)
    }
    private func show(_ text: String) { Output.standardOutput.write(text + "\n") }
}
