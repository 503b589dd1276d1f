import ArgumentParser
import CommandSupport
import Foundation
import LinkedNet
import PaperNetworks
import Reproduction

@main
struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Regenerate the tables and claims of the linked-neurons paper, as pages to look at.",
        discussion: """
            Trains what a table holds, each network in a directory of its own below --output with the paper's \
            settings, and makes the pages from the records. --resume goes on where an earlier call stopped. list shows \
            every cell; pages makes the pages from the records in --output, whatever they are of.
            """)

    /// The command's task.
    enum Subject: String, CaseIterable {
        case list, table1, table2, table3, table4, table5, table6, claims, all, pages
    }

    @Argument(
        help: "What to reproduce: \(OptionValue.names(Subject.self)).", transform: OptionValue.name(of: Subject.self))
    var subject: Subject

    @Option(help: ArgumentHelp("\(DataSource.help)", valueName: "data"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            """
            smoke takes minutes, short some hours on two cores, full is the paper's own length. (default: smoke)
            """, valueName: "scale"),
        transform: OptionValue.name(of: Scale.self))
    var scale: Scale = .smoke

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Train each network from N seeds. (default: the scale's)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var seeds: Int?

    @Option(help: ArgumentHelp("Only rows like this: \"LK-*\", \"SELU|LK-SELU\", \"*50 units\".", valueName: "pattern"))
    var rows: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Train and test on at most the first N images. (default: the scale's)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var limit: Int?

    @Option(help: ArgumentHelp("Where runs and pages go. (default: reproduction)", valueName: "dir"))
    var output = "reproduction"

    @Flag(help: "Go on with what is in --output: finished runs are kept, an interrupted one continues.")
    var resume = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Use N threads. The results are the same. (default: OMP_NUM_THREADS, or all CPUs)", valueName: "N"),
        transform: OptionValue.wholeNumber(from: 1))
    var threads: Int?

    @Flag(help: "Show what would be trained and how long it should take, and do nothing.")
    var dryRun = false

    @Flag(help: "Show no progress between the lines of the epochs.")
    var quiet = false

    @Flag(
        help: """
            Watch gradient flow, activation drift and dead neurons while training: a picture of each for every \
            network. Takes up to three times as long.
            """
    )
    var diagnostics = false

    private static let mostSeeds = 1000

    func validate() throws {
        if output.isEmpty { throw ValidationError("--output: expected a directory, found an empty name") }
        if let seeds, seeds > Self.mostSeeds {
            throw ValidationError("--seeds: expected at most \(Self.mostSeeds), found \(seeds)")
        }
        // Options of a training mean nothing where nothing is trained.
        let trainingOptions = [
            ("--seeds", seeds != nil), ("--limit", limit != nil), ("--threads", threads != nil), ("--resume", resume),
            ("--diagnostics", diagnostics), ("--dry-run", dryRun), ("--rows", rows != nil && subject == .pages),
        ]
        if subject == .list || subject == .pages, let found = trainingOptions.first(where: \.1) {
            throw ValidationError("\(found.0): \(subject) trains nothing; expected no \(found.0) beside it")
        }
    }

    static func main() {
        run(reporting: Session.failure) { try Session($0).run() }
    }
}
