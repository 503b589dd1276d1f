import CommandSupport
import Foundation
import LinkedNet
import PaperNetworks
import Reproduction

/// The work of one call of the command.
struct Session {
    static let failure = Failure(of: "reproduce")

    private let command: Reproduce
    private let reporter: Reporter

    init(_ command: Reproduce) {
        self.command = command
        reporter = Reporter(quiet: command.quiet)
    }

    func run() throws {
        let output = OutputDirectory(command.output)
        switch command.subject {
        case .list: return try list()
        case .pages: return try writePages(output)
        default: break
        }
        Interruption.install()
        Self.failure.prepareKernels(threads: command.threads)
        let data = ReproductionData(try DataSource.resolve(command.data))
        reporter.line("data: \(data.name), fingerprint \(data.fingerprint.prefix(8)). \(data.note)")
        let pages = Page(rawValue: command.subject.rawValue).map { [$0] } ?? Page.allCases
        func makePlan() throws -> Plan {
            try Plan(
                pages, rows: command.rows, scale: command.scale, seeds: command.seeds, limit: command.limit, data: data,
                output: output)
        }
        reporter.line(try makePlan().description)
        if command.dryRun { return }
        try output.open(
            .init(scale: command.scale, limit: command.limit, data: data), resumes: command.resume)
        let isComplete = try train(makePlan, data, output)
        let measuresTime = pages.contains(.table6) && command.rows == nil
        if isComplete, measuresTime, try TimeRatio(reading: output) == nil {
            reporter.line("measuring the time ratios of Table 6")
            _ = try TimeRatio(measuring: output, data: data, scale: command.scale)
        }
        try writePages(output)
        if !isComplete, let signal = Interruption.signal {
            reporter.line("interrupted; the same command with --resume goes on")
            Self.failure.end(128 + signal)
        }
    }

    private func writePages(_ output: OutputDirectory) throws {
        try Site(output, data: command.data).write()
        reporter.line("pages: \(command.output)/index.html, and README.md with one .md for each table")
    }

    /// Trains until every run of the plan is finished. The plan grows when a training with an alternative explodes.
    ///
    /// - Returns: false if the training was interrupted.
    private func train(_ makePlan: () throws -> Plan, _ data: ReproductionData, _ output: OutputDirectory) throws
        -> Bool
    {
        defer { reporter.clear() }
        while case let plan = try makePlan(), !plan.isFinished {
            let isComplete = try Runner(
                plan, data: data, output: output, diagnoses: command.diagnostics,
                observers: [reporter, InterruptionObserver()], isInterrupted: { Interruption.signal != nil },
                say: { reporter.line($0) }
            ).run()
            guard isComplete else { return false }
        }
        return true
    }

    private func list() throws {
        let matches = { (cell: Cell) in command.rows.map(cell.matches) ?? true }
        guard Paper.cells(Page.allCases).contains(where: matches) else {
            throw SettingsError(
                setting: "rows", expected: "a pattern of rows such as \"LK-*\"", found: command.rows ?? "no row")
        }
        for page in Page.allCases {
            let cells = Paper.cells([page]).filter(matches)
            if cells.isEmpty { continue }
            reporter.line("\n\(page.title) (\(page.rawValue))")
            for cell in cells {
                let paper = cell.paper.map { String(format: ", paper %.4f", $0) } ?? ""
                reporter.line("  \(cell.title)\(paper): \(cell.trainings.map(\.id).joined(separator: ", "))")
            }
        }
    }
}
