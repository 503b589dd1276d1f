import LinkedNet
import PaperNetworks

/// The comparison of our figures with the paper's figures. The comparison doesn't compare figure by figure. The
/// comparison looks at the order of networks, and at the networks that learn at all.
enum Pattern {
    /// The result of a comparison with the paper.
    enum Verdict {
        case agrees, differs
        /// The paper or our runs show no clear difference, or the networks weren't run.
        case undecided
    }

    /// A comparison of two cells: the difference of the cells in the paper and here.
    struct Difference {
        let title: String
        let paper: Double?
        let ours: Double?
        /// The largest difference between runs of the same cell.
        let spread: Double

        /// A smaller difference counts as no difference between single runs.
        private static let least = 0.005

        var verdict: Verdict {
            guard let paper, let ours else { return .undecided }
            let (isSmall, isSmallThere) = (abs(ours) < max(Self.least, spread), abs(paper) < Self.least)
            if isSmall { return isSmallThere ? .agrees : .undecided }
            return isSmallThere ? .undecided : (ours > 0) == (paper > 0) ? .agrees : .differs
        }

        /// The text for people.
        var text: String {
            guard let paper, ours != nil else { return "" }
            switch verdict {
            case .agrees: return abs(paper) < Self.least ? "as in the paper: none to speak of" : "as in the paper"
            case .differs: return "differs"
            case .undecided:
                return abs(paper) < Self.least ? "none to speak of in the paper" : "too small to tell here"
            }
        }
    }

    /// The cells that the paper's argument compares on a page.
    static func differences(_ page: Page, _ results: [CellResult]) -> [Difference] {
        let byCell = Dictionary(uniqueKeysWithValues: results.map { ($0.cell, $0) })
        return Paper.comparisons(page).map { comparison in
            let paper = comparison.cell.paper.flatMap { own in comparison.other.paper.map { own - $0 } }
            let (own, other) = (byCell[comparison.cell], byCell[comparison.other])
            return Difference(
                title: comparison.title, paper: paper,
                ours: own?.median.flatMap { own in other?.median.map { own - $0 } },
                spread: max(own?.spread ?? 0, other?.spread ?? 0))
        }
    }

    /// All verdicts of a page. Comparisons without figures in the paper give no verdict.
    static func verdicts(_ page: Page, _ results: [CellResult]) -> [Verdict] {
        let rows = page == .table2 ? results.map { DepthRow($0).verdict } : []
        return rows + differences(page, results).filter { $0.paper != nil }.map(\.verdict)
    }
}

/// A row of Table 2, in the paper and here: the row learns or not, explodes or not, and has dead neurons or not.
struct DepthRow {
    /// The paper's result of a row.
    enum Expectation {
        /// The accuracy stays at 0.10, and neurons are dead.
        case dies
        /// The row learns.
        case learns
        /// The row learns, and no neuron is dead.
        case learnsAlive
        /// The loss leaves the finite numbers.
        case explodes

        init(row: String) {
            switch row {
            case "ReLU", "ReLU √2", "PReLU", "PReLU √2": self = .dies
            case "LK-ReLU", "LK-PReLU", "LK-SELU", "SELU": self = .learnsAlive
            case "Swish", "LK-Swish", "Swish √2": self = .explodes
            default: self = .learns
            }
        }

        var text: String {
            switch self {
            case .dies: "at chance, dead neurons"
            case .learns: "learns"
            case .learnsAlive: "learns, none dead"
            case .explodes: "explodes"
            }
        }
    }

    let result: CellResult
    let expectation: Expectation

    init(_ result: CellResult) {
        self.result = result
        expectation = Expectation(row: result.cell.row)
    }

    /// The number of runs that learned anything.
    private var learned: Int { result.records.count { $0.figure > result.chanceLimit } }
    private var learns: Bool { (result.median ?? 0) > result.chanceLimit }

    /// The counts of dead neurons, one for each run with a count. Runs that exploded have no count.
    private var counts: [[DeadNeurons]] { result.records.compactMap(\.deadNeurons) }
    private var deadCounts: [Int] { counts.map { $0.reduce(0) { $0 + $1.dead } } }

    var verdict: Pattern.Verdict { result.records.isEmpty ? .undecided : departures.isEmpty ? .agrees : .differs }

    /// The result here: `learns, none dead`.
    var text: String {
        guard !result.records.isEmpty else { return "not run" }
        let runs = result.records.count
        let learning = learned == 0 ? "at chance" : learned == runs ? "learns" : "\(learned) of \(runs) runs learn"
        let exploding = result.explosions.isEmpty ? nil : result.explosionText
        return [learning, exploding, deadText].compactMap { $0 }.joined(separator: ", ")
    }

    /// `none dead`, `190 of 204 dead`; for several runs the range from the smallest to the largest number.
    var deadText: String? {
        guard let least = deadCounts.min(), let most = deadCounts.max(),
            let units = counts.first?.reduce(0, { $0 + $1.units })
        else { return nil }
        if most == 0 { return "none dead" }
        return (least == most ? "\(most)" : "\(least) to \(most)") + " of \(units) dead"
    }

    /// Sentences about the differences between this row and the paper's row.
    var departures: [String] {
        guard !result.records.isEmpty else { return [] }
        let figure = Figures.text(result.median)
        var sentences: [String] = []
        switch expectation {
        case .dies:
            if learned > 0 {
                sentences.append(
                    """
                    \(learned) of \(result.records.count) runs learn (median \(figure)); in the paper it stays at \
                    0.10.
                    """
                )
            }
            if deadCounts.contains(0) { sentences.append("no neuron is dead after training; in the paper some are.") }
        case .learns, .learnsAlive:
            if !learns {
                sentences.append(
                    "stays at chance (median \(figure)) in \(epochs) epochs; in the paper it learns in 200.")
            }
            if expectation == .learnsAlive, deadCounts.contains(where: { $0 > 0 }) {
                sentences.append("\(deadText ?? ""); in the paper none is.")
            }
        case .explodes:
            if result.explosions.isEmpty {
                sentences.append(
                    """
                    the loss stays finite for all \(epochs) epochs and the figure is \(figure); in the paper it \
                    explodes (0.10).
                    """
                )
            } else if result.explosions.count < result.records.count {
                sentences.append(
                    "only \(result.explosions.count) of \(result.records.count) runs explode; in the paper it explodes."
                )
            }
        }
        return sentences.map { "\(result.cell.row): \($0)" }
    }

    private var epochs: Int { result.records.first?.settings.epochs ?? 0 }
}
