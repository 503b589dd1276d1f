import Foundation

/// A picture of a figure for each layer and moment: layers downwards, time to the right.
public struct HeatMap: Sendable {
    /// What is shown.
    public var title: String
    /// The rows.
    public var layers: [String]
    /// The step of each column.
    public var steps: [Int]
    /// A row of figures for each layer; one that is missing is shown as one without a colour.
    public var values: [[Double]]
    /// True if colours follow the figures' logarithms; figures that are not above zero then have none.
    public var isLogarithmic: Bool

    /// A picture of `values`, one row for each layer, one column for each step.
    public init(title: String, layers: [String], steps: [Int], values: [[Double]], isLogarithmic: Bool = false) {
        self.title = title
        self.layers = layers
        self.steps = steps
        self.values = values
        self.isLogarithmic = isLogarithmic
    }

    /// The picture as an SVG document, which needs nothing else and suits light and dark pages.
    public var svg: String {
        let (left, top, width) = (150.0, 34.0, 560.0)
        let rowHeight = min(18, max(6, 320 / Double(max(layers.count, 1))))
        let height = rowHeight * Double(layers.count)
        let columnWidth = width / Double(max(steps.count, 1))
        let range = colourRange
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 \(number(top + height + 40))" role="img" font-family="system-ui, sans-serif" font-size="11">
            """,
            "<title>\(Self.escaped(title))</title>",
            """
            <style>.ink{fill:#24292f}.quiet{fill:#6e7781}.none{fill:#d0d7de}@media(prefers-color-scheme:dark){.ink{fill:#e6edf3}.quiet{fill:#9198a1}.none{fill:#3d444d}}</style>
            """,
            text(left, 18, title, "font-size=\"13\" font-weight=\"600\""),
        ]
        let labelEvery = max(1, Int((11 / rowHeight).rounded(.up)))
        for (row, layer) in layers.enumerated() {
            let y = top + Double(row) * rowHeight
            if row % labelEvery == 0 {
                lines.append(text(left - 6, y + rowHeight / 2 + 3.5, layer, "text-anchor=\"end\" font-size=\"10\"", "quiet"))
            }
            // Neighbours of one colour are one rectangle.
            var column = 0
            while column < steps.count {
                let fill = colour(row, column, range)
                var end = column + 1
                while end < steps.count, colour(row, end, range) == fill { end += 1 }
                let paint = fill.map { "fill=\"\($0)\"" } ?? "class=\"none\""
                lines.append(
                    "<rect x=\"\(number(left + Double(column) * columnWidth))\" y=\"\(number(y))\" width=\"\(number(Double(end - column) * columnWidth + 0.1))\" height=\"\(number(rowHeight + 0.1))\" \(paint)/>"
                )
                column = end
            }
        }
        if let first = steps.first, let last = steps.last {
            lines.append(text(left, top + height + 15, "step \(first)", "", "quiet"))
            lines.append(text(left + width, top + height + 15, "\(last)", "text-anchor=\"end\"", "quiet"))
        }
        lines += legend(range, x: left + width + 16, top: top, height: min(max(height, 60), 160))
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Colours

    /// What the coldest and the warmest colour stand for, on the scale of colours; `nil` if there is nothing to show.
    private var colourRange: ClosedRange<Double>? {
        let shown = values.joined().compactMap(position)
        guard let low = shown.min(), let high = shown.max() else { return nil }
        return low...high
    }

    /// A figure on the scale of colours; `nil` if it has no place there.
    private func position(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        guard isLogarithmic else { return value }
        return value > 0 ? log10(value) : nil
    }

    private static let ramp: [(Double, Double, Double)] = [
        (49, 54, 149), (69, 117, 180), (116, 173, 209), (253, 216, 132), (244, 109, 67), (165, 0, 38),
    ]

    private func colour(_ row: Int, _ column: Int, _ range: ClosedRange<Double>?) -> String? {
        guard let range, row < values.count, column < values[row].count, let position = position(values[row][column])
        else { return nil }
        // Halves: the difference of two finite numbers may be infinite.
        let width = range.upperBound / 2 - range.lowerBound / 2
        return Self.colour(width > 0 ? (position / 2 - range.lowerBound / 2) / width : 0)
    }

    /// The colour of a share of the scale. 33 colours, so that neighbours can be joined.
    private static func colour(_ share: Double) -> String {
        let place = (share * 32).rounded() / 32 * Double(ramp.count - 1)
        let index = min(Int(place), ramp.count - 2)
        let (a, b, part) = (ramp[index], ramp[index + 1], place - Double(index))
        func hex(_ from: Double, _ to: Double) -> String {
            let digits = String(Int((from + (to - from) * part).rounded()), radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return "#" + hex(a.0, b.0) + hex(a.1, b.1) + hex(a.2, b.2)
    }

    private func legend(_ range: ClosedRange<Double>?, x: Double, top: Double, height: Double) -> [String] {
        guard let range else { return [] }
        let count = 24
        let step = height / Double(count)
        var lines = (0..<count).map { index in
            "<rect x=\"\(number(x))\" y=\"\(number(top + Double(index) * step))\" width=\"10\" height=\"\(number(step + 0.1))\" fill=\"\(Self.colour(1 - Double(index) / Double(count - 1)))\"/>"
        }
        func label(_ value: Double) -> String { String(format: "%.2g", isLogarithmic ? pow(10, value) : value) }
        lines.append(text(x + 14, top + 9, label(range.upperBound), "font-size=\"10\"", "quiet"))
        lines.append(text(x + 14, top + height, label(range.lowerBound), "font-size=\"10\"", "quiet"))
        return lines
    }

    // MARK: Text

    private func text(
        _ x: Double, _ y: Double, _ content: String, _ attributes: String = "", _ style: String = "ink"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" class=\"\(style)\" \(attributes)>\(Self.escaped(content))</text>"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
