/// A table for people: a line of titles, a rule, a line per row, with aligned columns.
package struct TextTable: CustomStringConvertible {
    /// A column's title, and the side on which its cells are flush.
    package struct Column {
        package enum Alignment { case left, right }

        let title: String
        let alignment: Alignment

        package init(_ title: String, alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    let columns: [Column]
    /// One cell for each column.
    package var rows: [[String]] = []

    package init(_ columns: [Column]) {
        self.columns = columns
    }

    package var description: String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = lines.map { line in
            let cells = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return switch columns[column].alignment {
                case .left: line[column] + padding
                case .right: padding + line[column]
                }
            }
            return Self.trimmed(cells.joined(separator: "  "))
        }
        text.insert(String(repeating: "─", count: widths.reduce(0, +) + 2 * (columns.count - 1)), at: 1)
        return text.joined(separator: "\n")
    }

    /// `line` without spaces at its end.
    private static func trimmed(_ line: String) -> String {
        String(line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)])
    }
}
