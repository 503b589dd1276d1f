import Foundation
import LinkedNet
import PaperNetworks

/// The content of a page on one of the paper's tables.
struct TablePage {
    let page: Page
    let results: [CellResult]
    let timeRatio: TimeRatio?
    let commands: Commands
    let output: OutputDirectory

    func blocks() throws -> [Block] {
        var blocks: [Block] = [.paragraph(about)] + figures
        blocks += pattern
        if page == .table2 { blocks += DeadNeuronsSection(results: results, commands: commands).blocks }
        if page == .table6 { blocks += timeRatios }
        blocks += Self.explosions(page, results, commands)
        blocks += curves
        blocks += try Self.diagnostics(results, page: page, commands: commands, output: output)
        return blocks
    }

    private var about: String {
        switch page {
        case .table1:
            """
            One 3×3 convolution of 50 or 400 units, its activation, a dense layer. Plain SGD, learning rate 0.01, \
            batches of 32; 50 epochs in the paper.
            """
        case .table2:
            """
            A 7×7 convolution of stride 2 and 50 3×3 convolutions, all of 4 units; √2 rows have 5. Adam, 0.001, \
            batches of 32; 200 epochs in the paper. BN is ReLU with BatchNorm before it.
            """
        case .table3:
            """
            Four convolutions and two dense layers: as they are, with √2 times the units, and linked, which has as \
            many parameters as √2. RMSProp, 0.0001, batches of 32; 200 epochs in the paper.
            """
        case .table4:
            """
            The All Convolutional Net with flips and shifts. SGD with Nesterov momentum 0.9, batches of 32, linked \
            ones of 128; 3000 epochs in the paper, and the best of three learning-rate policies counts: 0.01 fixed, \
            steps down from 0.01, steps down from 0.001. 
            """
                + (commands.identity.scale.trainsAlternatives
                    ? "So it does here."
                    : """
                    Here 0.01 was trained, which is the first policy and the second alike, as the second's first \
                    step comes after 500 epochs; the third, from 0.001, only where 0.01 exploded, so another \
                    network that wants a lower rate may fare worse here. In batches of 128, linked networks have \
                    made a quarter of the others' steps, which counts in so few epochs.
                    """)
        case .table5:
            """
            ResNet50 scaled to 32×32 images, BatchNorm after every convolution, flips and shifts. Adam, 0.001, \
            batches of 128; 2000 epochs in the paper.
            """
        case .table6:
            "Table 5's ResNet50, with every BatchNorm and with none."
        case .claims: ""
        }
    }

    // MARK: Figures

    private var figures: [Block] {
        let finished = results.filter { !$0.records.isEmpty }
        let records = finished.compactMap(\.records.first)
        let lengths = Set(records.map { Self.length($0) })
        let hasSpread = results.contains { $0.records.count > 1 }
        let hasMaximum = results.contains { $0.cell.paperMaximum != nil }
        let hasExplosions = results.contains { !$0.explosions.isEmpty }
        let hasPolicies = results.contains { $0.cell.trainings.count > 1 }
        // Settings that all rows share stand once, above the rows.
        let titles =
            ["network", "ours"] + (hasSpread ? ["lowest", "highest", "runs"] : [])
            + (hasMaximum ? ["paper", "paper, highest"] : ["paper"])
            + ["ours − paper", "parameters"] + (hasPolicies ? ["learning rate"] : [])
            + (lengths.count > 1 ? ["trained"] : []) + ["time"] + (hasExplosions ? ["explosion"] : [])
        let rows = results.map { result -> [String] in
            let cell = result.cell
            let paper = [Figures.text(cell.paper)] + (hasMaximum ? [Figures.text(cell.paperMaximum)] : [])
            guard let median = result.median, let record = result.records.first else {
                let row = [cell.title, "not run"] + (hasSpread ? ["", "", ""] : []) + paper
                return row + Array(repeating: "", count: titles.count - row.count)
            }
            return [cell.title, Figures.text(median)]
                + (hasSpread
                    ? [Figures.text(result.minimum), Figures.text(result.maximum), "\(result.records.count)"] : [])
                + paper
                + [cell.paper.map { Figures.signed(median - $0) } ?? "", "\(record.parameters)"]
                + (hasPolicies ? [result.training.policy.title] : []) + (lengths.count > 1 ? [Self.length(record)] : [])
                + [Duration.text(result.records.reduce(0) { $0 + $1.seconds })]
                + (hasExplosions ? [result.explosionText] : [])
        }
        let note =
            lengths.count == 1 ? lengths.map { "Trained here: \($0)" + (hasSpread ? "" : ", one run each") + "." } : []
        return note.map(Block.paragraph) + [.table(titles, rows), commands.block(page, results)]
            + (finished.count > 1
                ? [.paragraph("One row alone, for example:"), commands.block(page, [finished[0]])] : [])
    }

    /// `20 epochs, all images`
    private static func length(_ record: TrainingRecord) -> String {
        "\(record.settings.epochs) epochs, \(record.settings.limit.map { "\($0) images" } ?? "all images")"
    }

    // MARK: The pattern

    private var pattern: [Block] {
        [.heading("The pattern")] + (page == .table2 ? learning : []) + [
            Self.comparisons(page, results), commands.block(page, results),
        ]
    }

    /// The networks that learn, explode or have dead neurons, and the departures from the paper.
    private var learning: [Block] {
        let rows = results.map(DepthRow.init)
        let departures = rows.flatMap(\.departures)
        let verdicts = [Pattern.Verdict.agrees: "as in the paper", .differs: "differs", .undecided: ""]
        let table = Block.table(
            ["network", "paper", "ours", "pattern"],
            rows.map { [$0.result.cell.title, $0.expectation.text, $0.text, verdicts[$0.verdict] ?? ""] })
        let finished = rows.count { !$0.result.records.isEmpty }
        let agreeing = rows.count { $0.verdict == .agrees }
        let sum = "Rows that do what they do in the paper: \(agreeing) of the \(finished) that were run."
        guard !departures.isEmpty else { return [.paragraph(sum), table] }
        return [
            .paragraph("\(sum) Where ours departs from the paper:"),
            .list(departures), table, .paragraph(Self.checked),
        ]
    }

    /// The checks that came before a departure was believed.
    private static let checked =
        """
        What was checked: with the same weights and batches, the depth network's losses are PyTorch's for 20 steps, \
        within a thousandth (TorchModelTests, at a \
        hundredth of the learning rate); gradients agree with central differences in double precision \
        (NetworkGradientTests); Adam's epsilon is 1e-8, as in the Keras of the paper's time, on which it depends when \
        a \
        linked row leaves chance: with 1e-7 it takes longer; dead neurons are counted by a second network that stores \
        each activation. What is not settled: \
        the images aren't the original ones unless the page says so, epochs may be fewer than the paper's 200, and \
        the paper doesn't say how many runs its \
        medians are of.
        """

    /// The comparisons between networks.
    static func comparisons(_ page: Page, _ results: [CellResult]) -> Block {
        .table(
            ["difference", "paper", "ours", "pattern"],
            Pattern.differences(page, results).map { difference in
                [
                    difference.title, difference.paper.map(Figures.signed) ?? "–",
                    difference.ours.map(Figures.signed) ?? "not run",
                    difference.text,
                ]
            })
    }

    // MARK: Time

    private var timeRatios: [Block] {
        guard let timeRatio else { return [] }
        return [
            .heading("Time ratio"),
            .paragraph(
                """
                The time of a training step relative to LK-ReLU without BatchNorm: the fastest of \(timeRatio.rounds) \
                rounds of \(timeRatio.stepsPerRound) steps for every network in turn, batches of 128, \
                \(timeRatio.threads) threads, \(timeRatio.instructionSet). The paper's is that of the whole training.
                """
            ),
            .table(
                ["network", "ours", "paper", "ms a step"],
                results.compactMap { result in
                    guard let training = result.cell.trainings.first, let ratio = timeRatio.ratio(training),
                        let seconds = timeRatio.secondsPerStep[training.id]
                    else { return nil }
                    return [
                        result.cell.title, Figures.ratio(ratio), Figures.ratio(Paper.timeRatios[result.cell.title]),
                        String(format: "%.0f", 1000 * seconds),
                    ]
                }),
            commands.block(page, results, "--threads \(timeRatio.threads)"),
        ]
    }

    // MARK: Explosions

    static func explosions(_ page: Page, _ results: [CellResult], _ commands: Commands) -> [Block] {
        let exploded = results.filter { $0.finished.contains { $0.records.contains { $0.explosion != nil } } }
        let rows = exploded.flatMap { result in
            result.finished.flatMap { training, records in
                let title = result.cell.title + (result.cell.trainings.count > 1 ? ", \(training.policy.title)" : "")
                return records.compactMap { record in
                    record.explosion.map { [title, "\(record.settings.seed)", "\($0.step)", "\($0.epoch)", $0.layer] }
                }
            }
        }
        guard !rows.isEmpty else { return [] }
        return [
            .heading("Explosions"),
            .paragraph(
                """
                The step at which the loss left the finite numbers, and the first layer concerned. Training ends \
                there; the figure is the best before it, at least chance, which is what a network of NaN reaches.
                """
            ),
            .table(["network", "seed", "step", "epoch", "layer"], rows),
            commands.block(page, exploded),
        ]
    }

    // MARK: Curves

    private var curves: [Block] {
        let columns = results.reduce(into: [String]()) { if !$0.contains($1.cell.column) { $0.append($1.cell.column) } }
        // Table 3's and 6's columns are strokes of one chart.
        let charts = page == .table1 ? columns.map { column in results.filter { $0.cell.column == column } } : [results]
        let blocks = charts.enumerated().compactMap { index, results in
            Self.chart(
                results, title: "\(page.title)" + (page == .table1 ? ", \(results[0].cell.column)" : ""),
                file: "figures/\(page.rawValue)" + (charts.count > 1 ? "-\(index + 1)" : "") + ".svg",
                name: page == .table1 ? \.row : \.title)
        }
        return blocks.isEmpty ? [] : [.heading("Learning curves")] + blocks + [commands.block(page, results)]
    }

    static func chart(
        _ results: [CellResult], title: String, file: String, name: KeyPath<Cell, String>
    ) -> Block? {
        let series = results.filter { !$0.curve.isEmpty }.map { result in
            LineChart.Series(
                name: result.cell[keyPath: name], points: result.curve,
                style: .init(
                    row: result.cell.title,
                    isLinked: result.training.activation.isLinked && result.cell.column != "BN"
                        || result.cell.row == "BN"))
        }
        guard !series.isEmpty else { return nil }
        let chart = LineChart(
            title: title, xLabel: "epoch", yLabel: "test accuracy (median over seeds)", countsX: true, leastY: 0.02,
            series: series)
        return .picture(
            file: file, caption: "\(title): test accuracy after each epoch, median over seeds", svg: chart.svg)
    }

    // MARK: Diagnostics

    static func diagnostics(
        _ results: [CellResult], page: Page, commands: Commands, output: OutputDirectory
    ) throws -> [Block] {
        var networks: [Block] = []
        var watched: [CellResult] = []
        for result in results {
            guard let record = result.records.first else { continue }
            let path = output.diagnosticsPath(result.training, seed: record.settings.seed)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let pictures = try DiagnosticsHistory(path).heatMaps.enumerated().map { index, map in
                Block.picture(
                    file: "figures/\(result.training.id)-diagnostics-\(index + 1).svg",
                    caption: "\(result.cell.title). \(map.title)", svg: map.svg)
            }
            networks.append(.details(result.cell.title, pictures))
            watched.append(result)
        }
        guard !networks.isEmpty else { return [] }
        return [
            .heading("Inside"),
            .paragraph(
                """
                Layers downwards, epochs to the right; the run of the first seed. Linked layers are watched as one: \
                both members together. An epoch of LK-ReLU took 5.2 s with it and 1.7 s without (8192 images, two \
                cores), so it is off unless asked for.
                """
            ),
        ] + networks + [commands.diagnostics(page, watched)]
    }
}
