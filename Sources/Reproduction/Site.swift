import Foundation
import LinkedNet

/// The pages of a reproduction, made from its records alone: a Markdown page for each table with its pictures, and one HTML page of all.
package struct Site {
    private let sections: [(page: Page, blocks: [Block])]
    private let introduction: [Block]
    private let output: OutputDirectory

    /// Makes the pages for which there is a record, and those of the plan.
    ///
    /// - Parameter dataOption: true if commands need `--data`.
    /// - Throws: ``CheckpointError`` if a record can't be read.
    package init(_ plan: Plan, data: ReproductionData, output: OutputDirectory, dataOption: Bool) throws {
        self.output = output
        let commands = Commands(plan, data: data, dataOption: dataOption)
        introduction = [
            .paragraph(
                "Data: \(data.name), fingerprint \(data.fingerprint.prefix(16)). Scale: \(plan.scale.rawValue). "
                    + (data.name == "CIFAR-10"
                        ? "These are the images that the paper's figures are for."
                        : "These are not the images that the paper's figures are for: compare what is better than what, not the figures themselves.")
            ),
            .paragraph(
                "A run's figure is its best test accuracy over its epochs, as in the paper; ours is the median over the runs of different seeds."),
        ]
        let planned = Set(plan.cells.map(\.page))
        var sections: [(Page, [Block])] = []
        for page in Page.allCases {
            let results = try Paper.cells([page]).map { try CellResult($0, output: output) }
            guard planned.contains(page) || results.contains(where: { !$0.records.isEmpty }) else { continue }
            let ratio = page == .table6 || page == .claims ? try TimeRatio(reading: output) : nil
            let blocks =
                page == .claims
                ? try ClaimsPage(results: results, timeRatio: ratio, commands: commands, output: output).blocks()
                : try TablePage(page: page, results: results, timeRatio: ratio, commands: commands, output: output).blocks()
            sections.append((page, blocks))
        }
        self.sections = sections
    }

    /// Writes the pages and their pictures.
    package func write() throws {
        try FileManager.default.createDirectory(atPath: output.path + "/figures", withIntermediateDirectories: true)
        for (page, blocks) in sections {
            let text = (["# \(page.title)"] + (introduction + blocks).map(\.markdown)).joined(separator: "\n\n") + "\n"
            try write(text, to: "\(page.rawValue).md")
            for case .picture(let file, _, let svg) in blocks { try write(svg, to: file) }
        }
        try write(IndexPage(introduction: introduction, sections: sections).html, to: "index.html")
    }

    private func write(_ text: String, to name: String) throws {
        try Array(text.utf8).withUnsafeBytes { try DurableFile.replace("\(output.path)/\(name)", contents: [$0]) }
    }
}

/// The commands that regenerate what pages show.
struct Commands {
    private let options: String

    init(_ plan: Plan, data: ReproductionData, dataOption: Bool) {
        var options = "--scale \(plan.scale.rawValue)"
        if let limit = plan.limit { options += " --limit \(limit)" }
        if let seeds = plan.seeds { options += " --seeds \(seeds)" }
        if dataOption, let argument = data.argument { options += " --data \(argument)" }
        self.options = options
    }

    /// The command for a page, or for some of its rows.
    func command(_ page: Page, rows: String? = nil, diagnostics: Bool = false) -> String {
        "swift run -c release reproduce \(page.rawValue) \(options)" + (rows.map { " --rows \"\($0)\"" } ?? "")
            + (diagnostics ? " --diagnostics" : "")
    }
}
