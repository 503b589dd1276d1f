import Foundation
import LinkedNet

/// What a page on one of the paper's tables shows.
struct TablePage {
    let page: Page
    let results: [CellResult]
    let timeRatio: TimeRatio?
    let commands: Commands
    let output: OutputDirectory

    func blocks() throws -> [Block] {
        var blocks: [Block] = [.paragraph(about)]
        blocks += [figures, .command(commands.command(page))]
        if let row = results.first?.cell.row {
            blocks.append(.paragraph("One row alone: the same command with --rows \"\(row)\", for example."))
        }
        blocks += pattern
        if page == .table2 { blocks += deadNeurons }
        if page == .table6 { blocks += timeRatios }
        blocks += Self.explosions(results)
        blocks += curves
        blocks += try Self.diagnostics(results, page: page, commands: commands, output: output)
        return blocks
    }

    private var about: String {
        switch page {
        case .table1:
            "One 3×3 convolution of 50 or 400 units, its activation, a dense layer. Plain SGD, learning rate 0.01, batches of 32; 50 epochs in the paper."
        case .table2:
            "A 7×7 convolution of stride 2 and 50 3×3 convolutions, all of 4 units; √2 rows have 5. Adam, 0.001, batches of 32; 200 epochs in the paper. BN is ReLU with BatchNorm before it."
        case .table3:
            "Four convolutions and two dense layers: as they are, with √2 times the units, and linked, which has as many parameters as √2. RMSProp, 0.0001, batches of 32; 200 epochs in the paper."
        case .table4:
            "The All Convolutional Net with flips and shifts. SGD with Nesterov momentum 0.9, batches of 32, linked ones of 128; 3000 epochs in the paper, and the best of three learning-rate policies. Scales below full train the first policy only, 0.01, which is the same as the second for the first 500 epochs."
        case .table5:
            "ResNet50 scaled to 32×32 images, BatchNorm after every convolution, flips and shifts. Adam, 0.001, batches of 128; 2000 epochs in the paper."
        case .table6:
            "Table 5's ResNet50, with every BatchNorm and with none."
        case .claims: ""
        }
    }

    // MARK: Figures

    private var figures: Block {
        let hasMaximum = results.contains { $0.cell.paperMaximum != nil }
        let titles =
            ["network", "ours", "lowest", "highest", "runs"] + (hasMaximum ? ["paper, highest", "paper, median"] : ["paper"])
            + ["ours − paper", "parameters", "epochs", "images", "time"]
        let rows = results.map { result -> [String] in
            let cell = result.cell
            let paper = (hasMaximum ? [Self.text(cell.paperMaximum)] : []) + [Self.text(cell.paper)]
            guard let median = result.median, let record = result.records.first else {
                return [cell.title, "not run", "", "", "0"] + paper + ["", "", "", "", ""]
            }
            let seconds = result.records.reduce(0) { $0 + $1.seconds }
            return [
                cell.title, Self.text(median), Self.text(result.minimum), Self.text(result.maximum), "\(result.records.count)",
            ] + paper + [
                cell.paper.map { Self.signed(median - $0) } ?? "", "\(record.parameters)", "\(record.settings.epochs)",
                record.settings.limit.map(String.init) ?? "all", Duration.text(seconds),
            ]
        }
        return .table(titles, rows)
    }

    static func text(_ figure: Double?) -> String { figure.map { String(format: "%.4f", $0) } ?? "–" }

    static func signed(_ difference: Double) -> String {
        (difference < 0 ? "−" : "+") + String(format: "%.4f", abs(difference))
    }

    // MARK: The pattern

    private var pattern: [Block] {
        var blocks: [Block] = [.heading("The pattern")]
        if page == .table2 { blocks.append(learns) }
        blocks.append(Self.comparisons(page, results))
        blocks.append(.command(commands.command(page)))
        return blocks
    }

    /// What learns at all.
    private var learns: Block {
        func verdict(_ result: CellResult) -> [String] {
            let paper = (result.cell.paper ?? 0) > 0.11 ? "learns" : "at chance"
            guard let median = result.median else { return [result.cell.title, paper, "not run", ""] }
            let ours = median > result.chanceLimit ? "learns" : "at chance"
            return [result.cell.title, paper, "\(ours) (\(Self.text(median)))", ours == paper ? "as in the paper" : "differs"]
        }
        return .table(["network", "paper", "ours", "pattern"], results.map(verdict))
    }

    /// Who is better than whom.
    static func comparisons(_ page: Page, _ results: [CellResult]) -> Block {
        let byCell = Dictionary(uniqueKeysWithValues: results.map { ($0.cell, $0) })
        let rows = Paper.comparisons(page).map { comparison -> [String] in
            let paper = comparison.cell.paper.flatMap { own in comparison.other.paper.map { own - $0 } }
            let result = byCell[comparison.cell]
            let other = byCell[comparison.other]
            guard let result, let other, let own = result.median, let others = other.median else {
                return [comparison.title, paper.map(signed) ?? "–", "not run", ""]
            }
            let ours = own - others
            return [
                comparison.title, paper.map(signed) ?? "–", signed(ours),
                paper.map { verdict(ours: ours, paper: $0, spread: max(result.spread, other.spread)) } ?? "",
            ]
        }
        return .table(["difference", "paper", "ours", "pattern"], rows)
    }

    private static func verdict(ours: Double, paper: Double, spread: Double) -> String {
        // Less than this is no difference between single runs.
        let least = max(0.005, spread)
        if abs(ours) < least { return abs(paper) < 0.005 ? "as in the paper: none to speak of" : "within the spread of our runs" }
        if abs(paper) < 0.005 { return "none to speak of in the paper" }
        return (ours > 0) == (paper > 0) ? "as in the paper" : "differs"
    }

    // MARK: Dead neurons

    private var deadNeurons: [Block] {
        let counted = results.compactMap { result in
            result.records.first?.deadNeurons.map { (result, $0) }
        }
        guard !counted.isEmpty else { return [] }
        let rows = counted.map { result, layers -> [String] in
            let dead = layers.reduce(0) { $0 + $1.dead }
            let units = layers.reduce(0) { $0 + $1.units }
            let first = layers.firstIndex { $0.dead > 0 }
            let wholly = layers.firstIndex { $0.dead == $0.units }
            let places = Double(layers.reduce(0) { $0 + $1.deadPlaces }) / Double(max(layers.reduce(0) { $0 + $1.places }, 1))
            return [
                result.cell.title, "\(dead) of \(units)", first.map { "\($0 + 1)" } ?? "–", wholly.map { "\($0 + 1)" } ?? "–",
                String(format: "%.1f %%", 100 * places),
            ]
        }
        let map = HeatMap(
            title: "Dead neurons after training: share of each layer's (left to right: \(counted.map { $0.0.cell.row }.joined(separator: ", ")))",
            layers: (1...(counted.map { $0.1.count }.max() ?? 1)).map { "layer \($0)" }, steps: Array(1...counted.count),
            values: (0..<(counted.map { $0.1.count }.max() ?? 0)).map { layer in
                counted.map { $0.1.count > layer ? Double($0.1[layer].dead) / Double($0.1[layer].units) : .nan }
            })
        return [
            .heading("Dead neurons"),
            .paragraph(
                "A neuron is dead if its activation is zero for every image of the data set, at every position. Linked members share a pre-activation and count as one. Counted after training, on all images that were trained on, in the run of the first seed. In the paper, ReLU and PReLU have dead neurons from layer 7 onwards, linked ones and SELU have none. The last column is the share of positions at which a neuron never gave anything but zero."
            ),
            .table(["network", "dead", "first layer with one", "first layer that is dead", "dead positions"], rows),
            .picture(file: "figures/\(page.rawValue)-dead.svg", caption: map.title, svg: map.svg),
            .command(commands.command(page)),
        ]
    }

    // MARK: Time

    private var timeRatios: [Block] {
        guard let timeRatio else { return [] }
        return [
            .heading("Time ratio"),
            .paragraph(
                "The time of a training step relative to LK-ReLU without BatchNorm: the fastest of \(timeRatio.rounds) rounds of \(timeRatio.stepsPerRound) steps for every network in turn, batches of 128, \(timeRatio.threads) threads, \(timeRatio.instructionSet). The paper's is that of the whole training."
            ),
            .table(
                ["network", "ours", "paper", "ms a step"],
                results.compactMap { result in
                    guard let training = result.cell.trainings.first, let ratio = timeRatio.ratio(training),
                        let seconds = timeRatio.secondsPerStep[training.id]
                    else { return nil }
                    return [
                        result.cell.title, String(format: "%.2f", ratio),
                        Paper.timeRatios[result.cell.title].map { String(format: "%.2f", $0) } ?? "–",
                        String(format: "%.0f", 1000 * seconds),
                    ]
                }),
            .command(commands.command(page)),
        ]
    }

    // MARK: Explosions

    static func explosions(_ results: [CellResult]) -> [Block] {
        let rows = results.flatMap { result in
            result.explosions.map { seed, explosion in
                [result.cell.title, "\(seed)", "\(explosion.step)", "\(explosion.epoch)", explosion.layer]
            }
        }
        guard !rows.isEmpty else { return [] }
        return [
            .heading("Explosions"),
            .paragraph(
                "The step at which the loss left the finite numbers, and the first layer concerned. Training ends there; the figure is the best before it, at least chance, which is what a network of NaN reaches."
            ),
            .table(["network", "seed", "step", "epoch", "layer"], rows),
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
        return blocks.isEmpty ? [] : [.heading("Learning curves")] + blocks + [.command(commands.command(page))]
    }

    static func chart(
        _ results: [CellResult], title: String, file: String, name: KeyPath<Cell, String>
    ) -> Block? {
        let series = results.filter { !$0.curve.isEmpty }.map { result in
            LineChart.Series(
                name: result.cell[keyPath: name], points: result.curve,
                style: .init(
                    row: result.cell.title,
                    isLinked: result.training.activation.isLinked && result.cell.column != "BN" || result.cell.row == "BN"))
        }
        guard !series.isEmpty else { return nil }
        let chart = LineChart(title: title, xLabel: "epoch", yLabel: "test accuracy (median over seeds)", series: series)
        return .picture(file: file, caption: "\(title): test accuracy after each epoch, median over seeds", svg: chart.svg)
    }

    // MARK: Diagnostics

    static func diagnostics(
        _ results: [CellResult], page: Page, commands: Commands, output: OutputDirectory
    ) throws -> [Block] {
        var blocks: [Block] = []
        for result in results {
            guard let record = result.records.first else { continue }
            let path = output.diagnosticsPath(result.training, seed: record.settings.seed)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            for (index, map) in try DiagnosticsHistory(path).heatMaps.enumerated() {
                var map = map
                map.title = "\(result.cell.title). \(map.title)"
                blocks.append(
                    .picture(file: "figures/\(result.training.id)-diagnostics-\(index + 1).svg", caption: map.title, svg: map.svg))
            }
        }
        guard !blocks.isEmpty else { return [] }
        return [
            .heading("Inside"),
            .paragraph("Layers downwards, training steps to the right; the run of the first seed. Watching takes up to twice the time, so it is off unless asked for."),
        ] + blocks + [.command(commands.command(page, diagnostics: true))]
    }
}

extension CellResult {
    /// How far apart the runs are.
    var spread: Double { (maximum ?? 0) - (minimum ?? 0) }
}
