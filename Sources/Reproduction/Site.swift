import Foundation
import LinkedNet
import PaperNetworks

/// The pages of a reproduction, made from the reproduction's records alone: a Markdown page for each table with the
/// table's pictures, a Markdown page with links to these pages, and one HTML page of all pages.
package struct Site {
    private let sections: [(page: Page, blocks: [Block])]
    private let introduction: [Block]
    private let summary: Block
    private let output: OutputDirectory

    /// Makes the pages for which there is a record.
    ///
    /// - Parameter data: the value of `--data`; `nil` for the data set's usual name or place.
    /// - Throws: ``SettingsError`` if the directory holds no reproduction, ``CheckpointError`` if a record can't be
    ///   read.
    package init(_ output: OutputDirectory, data: String?) throws {
        self.output = output
        let identity = try output.identity()
        let commands = Commands(identity: identity, data: data ?? identity.usualDataOption)
        var sections: [(page: Page, blocks: [Block])] = []
        var instructionSets: Set<String> = []
        var summaries: [[String]] = []
        for page in Page.allCases {
            let results = try Paper.cells([page]).map { try CellResult($0, output: output) }
            let finished = results.filter { !$0.records.isEmpty }
            guard !finished.isEmpty else { continue }
            let ratio = page == .table6 || page == .claims ? try TimeRatio(reading: output) : nil
            let blocks =
                page == .claims
                ? try ClaimsPage(results: results, timeRatio: ratio, commands: commands, output: output).blocks()
                : try TablePage(page: page, results: results, timeRatio: ratio, commands: commands, output: output)
                    .blocks()
            sections.append((page, Provenance(results).blocks + blocks))
            instructionSets.formUnion(finished.flatMap { $0.records.map(\.instructionSet) })
            let records = finished.flatMap(\.records)
            summaries.append(
                [page.title, "\(finished.count) of \(results.count)", "\(records.count)"] + Self.pattern(page, results)
                    + [Duration.text(records.reduce(0) { $0 + $1.seconds })])
        }
        self.sections = sections
        summary = .table(["page", "networks", "runs", "as in the paper", "undecided", "differs", "time"], summaries)
        introduction = Self.introduction(identity, instructionSets: instructionSets.sorted())
    }

    private static func introduction(_ identity: OutputDirectory.Identity, instructionSets: [String]) -> [Block] {
        let lengths =
            switch identity.scale {
            case .smoke: "smoke: two epochs of some hundred or thousand images show that everything runs, and no more"
            case .short: "short: fewer epochs than in the paper, so its figures are not reached yet"
            case .full: "full: the paper's own number of epochs, all images"
            }
        let limit = identity.limit.map { " At most \($0) images." } ?? ""
        return [
            .paragraph(
                "Data: \(identity.data), fingerprint \(identity.dataFingerprint.prefix(16)). "
                    + (identity.data == "CIFAR-10"
                        ? "These are the images that the paper's figures are for."
                        : """
                        These are not the images that the paper's figures are for: compare what is better than \
                        what, not the figures themselves.
                        """)
                    + " Scale \(lengths).\(limit)"),
            .paragraph(
                """
                A run's figure is its best test accuracy over its epochs, as in the paper; ours is the median over \
                the runs of different seeds.
                """
            ),
            .paragraph(
                """
                The command beneath a figure trains it again from nothing, in a directory of its own, and comes to \
                the same figure with the sources of the commit that its page names, on 
                """
                    + (instructionSets.count == 1
                        ? "\(instructionSets[0]), where these were trained" : "the same instruction set")
                        + """
                        , with any number of threads; other sources or another instruction set may round otherwise. \
                        Only times vary.
                        """
            ),
        ]
    }

    /// The numbers of a page's comparisons that agree with the paper, are undecided, and differ. A comparison is
    /// undecided within the spread of the runs, or without runs.
    private static func pattern(_ page: Page, _ results: [CellResult]) -> [String] {
        let verdicts = Pattern.verdicts(page, results)
        guard !verdicts.isEmpty else { return ["–", "–", "–"] }
        return [Pattern.Verdict.agrees, .undecided, .differs].map { kind in "\(verdicts.count { $0 == kind })" }
    }

    /// Writes the pages and the pictures.
    package func write() throws {
        try FileManager.default.createDirectory(atPath: output.path + "/figures", withIntermediateDirectories: true)
        for (page, blocks) in sections {
            let text = "# \(page.title)\n\n[All pages](README.md)\n\n" + Self.markdown(introduction + blocks)
            try write(text, to: "\(page.rawValue).md")
            for picture in blocks.flatMap(\.pictures) { try write(picture.svg, to: picture.file) }
        }
        let links = sections.map { "- [\($0.page.title)](\($0.page.rawValue).md)" }.joined(separator: "\n")
        try write(
            "# \(IndexPage.title)\n\n" + Self.markdown(introduction)
                + "\n\(links)\n\nAll of it as one page for a browser: [index.html](index.html)\n\n"
                + Self.markdown([summary]), to: "README.md")
        try write(IndexPage(introduction: introduction + [summary], sections: sections).html, to: "index.html")
    }

    private static func markdown(_ blocks: [Block]) -> String {
        blocks.map(\.markdown).joined(separator: "\n\n") + "\n"
    }

    private func write(_ text: String, to name: String) throws {
        try Array(text.utf8).withUnsafeBytes { try DurableFile.replace("\(output.path)/\(name)", contents: [$0]) }
    }
}
