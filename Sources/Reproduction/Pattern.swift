import LinkedNet
import PaperNetworks

/// How our figures compare with the paper's: not figure by figure, but by what is better than what, and what learns at
/// all.
enum Pattern {
    /// How something turns out here.
    enum Verdict {
        case agrees, differs
        /// The paper or our runs show no difference to speak of, or it wasn't run.
        case undecided
    }

    /// A comparison of two cells: how far apart they are in the paper and here.
    struct Difference {
        let title: String
        let paper: Double?
        let ours: Double?
        /// How far apart runs of the same cell are.
        let spread: Double

        /// Less than this is no difference between single runs.
        private static let least = 0.005

        var verdict: Verdict {
            guard let paper, let ours else { return .undecided }
            let (isSmall, isSmallThere) = (abs(ours) < max(Self.least, spread), abs(paper) < Self.least)
            if isSmall { return isSmallThere ? .agrees : .undecided }
            return isSmallThere ? .undecided : (ours > 0) == (paper > 0) ? .agrees : .differs
        }

        /// For people.
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

    /// All of a page's verdicts; none for what the paper has no figures for.
    static func verdicts(_ page: Page, _ results: [CellResult]) -> [Verdict] {
        let rows = page == .table2 ? results.map { DepthRow($0).verdict } : []
        return rows + differences(page, results).filter { $0.paper != nil }.map(\.verdict)
    }
}

/// A row of Table 2: whether it learns, explodes and has dead neurons, in the paper and here.
struct DepthRow {
    /// The paper's word on a row.
    enum Expectation {
        /// At 0.10, with dead neurons.
        case dies
        /// Learns.
        case learns
        /// Learns, and no neuron is dead.
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

    /// How many of the runs learned anything.
    private var learned: Int { result.records.count { $0.figure > result.chanceLimit } }
    private var learns: Bool { (result.median ?? 0) > result.chanceLimit }

    /// The counts of the runs in which somebody counted; not of those that exploded.
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

    /// `none dead`, `190 of 204 dead`; for several runs from the least to the most.
    var deadText: String? {
        guard let least = deadCounts.min(), let most = deadCounts.max(),
            let units = counts.first?.reduce(0, { $0 + $1.units })
        else { return nil }
        if most == 0 { return "none dead" }
        return (least == most ? "\(most)" : "\(least) to \(most)") + " of \(units) dead"
    }

    /// Sentences about where this row isn't the paper's.
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
