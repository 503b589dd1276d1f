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

/// A cell of one of the paper's tables, or an experiment on one of the paper's claims.
package struct Cell: Sendable, Hashable {
    package let page: Page
    /// The network's name in the paper: `LK-ReLU √2`.
    package let row: String
    /// Another mark of the cell beside the row: `50 units`. Empty if the row is enough.
    package let column: String
    /// The paper's figure; in Table 2 the median.
    package let paper: Double?
    /// The paper's largest figure, in Table 2.
    package let paperMaximum: Double?
    /// The trainings. The best training counts.
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

    /// True if a pattern matches the row or the title. A pattern is as in the shell: `LK-*`, `*50 units`. `|` separates
    /// several patterns. Upper and lower case are equal.
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
    /// The cell to compare with.
    let other: Cell

    /// `LK-ReLU − ReLU`
    var title: String {
        cell.column == other.column
            ? "\(cell.row) − \(other.row)" + (cell.column.isEmpty ? "" : " (\(cell.column))")
            : "\(cell.title) − \(other.title)"
    }
}
