import Foundation
import LinkedNet
import PaperNetworks

/// The pages of the reproduction.
package enum Page: String, Sendable, Hashable, CaseIterable, Codable {
    case table1, table2, table3, table4, table5, table6, claims

    package var title: String {
        switch self {
        case .table1: "Table 1: width"
        case .table2: "Table 2: depth"
        case .table3: "Table 3: number of parameters"
        case .table4: "Table 4: AllCNN"
        case .table5: "Table 5: ResNet50"
        case .table6: "Table 6: ResNet50 without BatchNorm"
        case .claims: "Claims"
        }
    }
}

/// A cell of one of the paper's tables, or an experiment on one of its claims.
package struct Cell: Sendable, Hashable {
    package let page: Page
    /// The network, as the paper calls it: `LK-ReLU √2`.
    package let row: String
    /// Another mark that tells cells apart: `50 units`. Empty if there is none.
    package let column: String
    /// The paper's figure. In Table 2 the median.
    package let paper: Double?
    /// The paper's largest figure, in Table 2.
    package let paperMaximum: Double?
    /// The trainings, of which the best counts.
    package let trainings: [Training]

    init(
        _ page: Page, _ row: String, _ column: String = "", paper: Double? = nil, maximum: Double? = nil,
        _ trainings: Training...
    ) {
        self.page = page
        self.row = row
        self.column = column
        self.paper = paper
        paperMaximum = maximum
        self.trainings = trainings
    }

    /// `LK-ReLU, 50 units`
    package var title: String { column.isEmpty ? row : "\(row), \(column)" }

    /// True if a pattern of the shell's kind (`LK-*`, `*50 units`), or one of several with `|` between them, is the row
    /// or the title, whatever the case.
    package func matches(_ patterns: String) -> Bool {
        patterns.split(separator: "|").contains { pattern in
            [row, title].contains { fnmatch(pattern.lowercased(), $0.lowercased(), 0) == 0 }
        }
    }
}

/// Two cells that the paper's argument compares.
package struct Comparison: Sendable {
    /// The cell that should be better or worse.
    let cell: Cell
    /// The cell that it is compared with.
    let other: Cell

    /// `LK-ReLU − ReLU`
    var title: String {
        cell.column == other.column
            ? "\(cell.row) − \(other.row)" + (cell.column.isEmpty ? "" : " (\(cell.column))")
            : "\(cell.title) − \(other.title)"
    }
}
