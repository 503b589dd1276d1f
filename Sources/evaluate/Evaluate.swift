import ArgumentParser
import CommandSupport
import Foundation
import LinkedNet

@main
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a trained network on test images.",
        discussion: """
            Examples:
              evaluate runs/allcnn-lk-relu-1
              evaluate runs/allcnn-lk-relu-1 --data data --confusion
              evaluate runs/allcnn-lk-relu-1 --digest

            Exit status: 0 done, 1 another failure, 64 wrong options, 65 a wrong run or wrong data, 66 a missing run or missing data, \
            71 out of memory or threads, 74 a file that can't be read.
            """)

    @Argument(help: ArgumentHelp("The directory of a run, or one of its checkpoints.", valueName: "run"))
    var path: String

    @Option(help: ArgumentHelp("\(DataSource.options). (default: the run's)", valueName: "data"))
    var data: String?

    @Flag(help: "Show how many images of each class were taken for each.")
    var confusion = false

    @Flag(help: "Show how many neurons of each layer are zero for every training image, and nothing else.")
    var deadNeurons = false

    @Flag(
        help: ArgumentHelp(
            "Show the SHA-256 of the weights, and nothing else.",
            discussion: "Of parameters and BatchNorm statistics in name order, as little-endian float32."))
    var digest = false

    @Option(help: ArgumentHelp("Use N threads. The results are the same. (default: all CPUs)", valueName: "N"))
    var threads: Int?

    @Flag(help: "Print one line with a JSON object.")
    var json = false

    func validate() throws {
        if digest, data != nil || confusion {
            let found = data == nil ? "--confusion" : "--data"
            throw ValidationError("--digest: expected neither --data nor --confusion beside it, found \(found)")
        }
        if deadNeurons, digest || confusion {
            throw ValidationError(
                "--dead-neurons: expected neither --digest nor --confusion beside it, found \(digest ? "--digest" : "--confusion")"
            )
        }
        if let threads, threads < 1 { throw ValidationError("--threads: expected at least 1, found \(threads)") }
    }

    private static let failure = Failure(of: "evaluate")

    static func main() {
        run(reporting: failure) { try $0.run() }
    }

    func run() throws {
        if digest {
            let digest = try SavedRun.digest(path, warn: Self.failure.warn)
            print(json ? "{\"digest\":\"\(digest)\"}" : digest)
            return
        }
        Self.failure.prepareKernels(threads: threads)
        let saved = try SavedRun(path)
        Self.failure.warn(saved.damage)
        if deadNeurons {
            let found = try saved.deadNeurons(on: data.map { try DataSource.resolve($0) } ?? saved.data())
            return print(json ? try DeadNeuronReport.json(found) : DeadNeuronReport.text(found))
        }
        let test = try (data.map { try DataSource.resolve($0) } ?? saved.data()).test
        let report = Report(try saved.evaluate(on: test), of: test, confusion: confusion)
        print(json ? try report.json() : report.text)
    }
}
