import LinkedNet
import PaperNetworks

/// The content of the page on the claims of the paper's text.
struct ClaimsPage {
    let results: [CellResult]
    let timeRatio: TimeRatio?
    let commands: Commands
    let output: OutputDirectory

    func blocks() throws -> [Block] {
        try linkedPairs() + unnormalised + batchNorm() + linkages + TablePage.explosions(.claims, results, commands)
            + TablePage.diagnostics(results, page: .claims, commands: commands, output: output)
    }

    // MARK: Figure 1

    private func linkedPairs() throws -> [Block] {
        let figures: [(String, String, Linkage)] = [
            ("Figure 1a: ReLU, linked by minimum and maximum", "figures/figure1a.svg", .minMax),
            ("Figure 1b: SELU and its mirror image", "figures/figure1b.svg", .mirrored(.selu)),
            ("ReLU and its mirror image", "figures/figure1-relu.svg", .mirrored(.relu)),
            ("Swish and its mirror image", "figures/figure1-swish.svg", .mirrored(.swish)),
        ]
        return [
            .heading("Linked pairs (Figure 1)"),
            .paragraph(
                """
                The members of a linkage over their common pre-activation z, as the kernels compute them. Wherever z \
                lies, some member has a slope.
                """
            ),
        ]
            + (try figures.map { title, file, linkage in
                .picture(file: file, caption: title, svg: try LinkageCurves.chart(linkage, title: title).svg)
            }) + [commands.block(.claims, [results.first { !$0.records.isEmpty }].compactMap(\.self))]
    }

    // MARK: Unnormalised data

    private var unnormalised: [Block] {
        let results = self.results.filter { $0.cell.column.hasPrefix("pixels ") }
        let columns = PixelRange.allCases.map { "pixels \($0.title)" }
        let rows = Paper.activations.map { name, _ in
            [name]
                + columns.map { column in
                    guard let result = results.first(where: { $0.cell.row == name && $0.cell.column == column }),
                        let median = result.median
                    else { return "not run" }
                    return Figures.text(median) + (result.explosions.isEmpty ? "" : ", " + result.explosionText)
                }
        }
        return [
            .heading("Training survives data that nobody normalised"),
            .paragraph(
                """
                Table 3's network and settings, with pixels of 0 … 1 as everywhere else, of 0 … 255, with 10 added, \
                and with another scale for each channel. Best test accuracy.
                """
            ),
            .table(["network"] + columns, rows),
        ]
            + [
                TablePage.comparisons(.claims, results).only { $0.contains("(pixels") },
                commands.block(.claims, results, rows: "*, pixels *"),
            ]
    }

    // MARK: BatchNorm

    private func batchNorm() throws -> [Block] {
        let results = try Paper.cells([.table6]).map { try CellResult($0, output: output) }
        guard results.contains(where: { $0.median != nil }) || timeRatio != nil else { return [] }
        let rows = ["LK-ReLU", "SELU", "LK-SELU"].map { row in
            func result(_ column: String) -> CellResult? {
                results.first { $0.cell.row == row && $0.cell.column == column }
            }
            let (with, without) = (result("BN"), result("no BN"))
            let ratio = with.flatMap { with in
                without.flatMap { without in
                    timeRatio?.ratio(with.training).flatMap { a in timeRatio?.ratio(without.training).map { a / $0 } }
                }
            }
            let paper = Paper.timeRatios["\(row), BN"].flatMap { a in Paper.timeRatios["\(row), no BN"].map { a / $0 } }
            return [
                row, Figures.text(with?.median), Figures.text(without?.median),
                Figures.ratio(ratio), Figures.ratio(paper),
            ]
        }
        return [
            .heading("Without BatchNorm, as good and faster"),
            .paragraph(
                """
                ResNet50 of Table 6. The ratio is a step's time with BatchNorm over one without. Here BatchNorm is \
                optimised as everything else is, so the ratio says what it costs, not what a framework makes of it.
                """
            ),
            .table(["network", "with", "without", "time ratio", "paper's"], rows),
            commands.block(.table6, results, timeRatio.map { "--threads \($0.threads)" }),
        ]
    }

    // MARK: More members

    private var linkages: [Block] {
        let results = self.results.filter { $0.cell.column.hasPrefix("d-way") }
        let rows = results.map { result in
            [
                result.cell.title, Figures.text(result.median), Figures.text(result.minimum),
                Figures.text(result.maximum),
                "\(result.records.count)", result.records.first.map { "\($0.parameters)" } ?? "–",
            ]
        }
        let charts = ["d-way, width 50", "d-way, depth"].enumerated().compactMap { index, column in
            TablePage.chart(
                results.filter { $0.cell.column == column }, title: "Members of a linkage: \(column)",
                file: "figures/linkages-\(index + 1).svg", name: \.row)
        }
        return [
            .heading("More than two members (ours)"),
            .paragraph(
                """
                The paper allows any number of members and tries two. This extension is ours: one to four members on \
                the networks of Tables 1 and 2. Parameters grow with the members, so this is no comparison at equal \
                size.
                """
            ),
            .table(["members", "ours", "lowest", "highest", "runs", "parameters"], rows),
        ] + charts + [commands.block(.claims, results, rows: "*, d-way*")]
    }
}

extension Block {
    /// The table, with only the rows whose first cell is wanted.
    fileprivate func only(_ isWanted: (String) -> Bool) -> Block {
        guard case .table(let titles, let rows) = self else { return self }
        return .table(titles, rows.filter { isWanted($0.first ?? "") })
    }
}
