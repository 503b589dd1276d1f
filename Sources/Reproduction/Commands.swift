import LinkedNet

/// The commands that regenerate the content of pages. A command does the same trainings anew, in a directory of its
/// own.
struct Commands {
    let identity: OutputDirectory.Identity
    /// The value of `--data`.
    let data: String

    /// The command for the figures of `results`, which are cells of a page. Results with several numbers of seeds give
    /// a line for each number.
    ///
    /// - Parameters:
    ///   - rows: a pattern for `results`. The command uses the pattern only if the pattern chooses no other cells.
    ///   - more: options for other results than the figures.
    func block(_ page: Page, _ results: [CellResult], rows: String? = nil, _ more: String? = nil) -> Block {
        let finished = results.filter { !$0.records.isEmpty }
        let bySeeds = Dictionary(grouping: finished, by: seeds)
        let lines = bySeeds.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { seeds, results in
            line(page, rows: self.rows(page, results, rows), seeds: seeds, more)
        }
        return .command(lines.isEmpty ? line(page, rows: rows, seeds: nil, more) : lines.joined(separator: "\n"))
    }

    /// The command for the pictures from inside the first run of each of `results`.
    func diagnostics(_ page: Page, _ results: [CellResult]) -> Block {
        .command(line(page, rows: rows(page, results, nil), seeds: 1, "--diagnostics", place: "-diagnostics"))
    }

    private func line(_ page: Page, rows: String?, seeds: Int?, _ more: String?, place: String = "") -> String {
        let limit = identity.limit.map { " --limit \($0)" } ?? ""
        let output = "regenerated/\(identity.scale.rawValue)\(identity.limit.map { "-\($0)" } ?? "")\(place)"
        return
            "swift run reproduce \(page.rawValue) --data \(data.quotedForShell)"
            + " --scale \(identity.scale.rawValue)\(limit)" + (seeds.map { " --seeds \($0)" } ?? "")
            + (rows.map { " --rows \($0.quotedForShell)" } ?? "") + (more.map { " \($0)" } ?? "")
            + " --output \(output) --resume"
    }

    /// The number of seeds; `nil` for the scale's own number.
    private func seeds(_ result: CellResult) -> Int? {
        let count = result.records.count
        return count == identity.scale.budget(result.training).seeds ? nil : count
    }

    /// A pattern for these cells; `nil` for all cells of a page.
    private func rows(_ page: Page, _ results: [CellResult], _ pattern: String?) -> String? {
        let cells = Paper.cells([page]).filter { cell in pattern.map(cell.matches) ?? true }
        return results.count == cells.count ? pattern : results.map(\.cell.title).joined(separator: "|")
    }
}
