import Foundation

/// A picture of one figure for each layer and column: layers from top to bottom, time or networks from left to right.
public struct HeatMap: Sendable {
    /// The columns of a picture, from left to right.
    public enum Columns: Sendable, Hashable {
        /// Moments of a training: a column reaches from the previous column's step to its own step. The axis shows
        /// whole epochs if the number of steps of an epoch is known.
        case steps([Int], perEpoch: Int?)
        /// Columns with names.
        case names([String])

        /// The number of columns.
        public var count: Int {
            switch self {
            case .steps(let steps, _): steps.count
            case .names(let names): names.count
            }
        }
    }

    /// The title: the figure's meaning.
    public var title: String
    /// The rows.
    public var layers: [String]
    /// The columns.
    public var columns: Columns
    /// A row of figures for each layer. A missing figure has no colour.
    public var values: [[Double]]
    /// True if colours follow the figures' logarithms; figures that are not above zero then have no colour.
    public var isLogarithmic: Bool

    /// A picture of `values`: one row for each layer, and in each row one figure for each column.
    public init(title: String, layers: [String], columns: Columns, values: [[Double]], isLogarithmic: Bool = false) {
        self.title = title
        self.layers = layers
        self.columns = columns
        self.values = values
        self.isLogarithmic = isLogarithmic
    }

    /// The picture as an SVG document, which needs no other file and suits light and dark pages.
    public var svg: String {
        let top = 34.0
        let left = min(max(6 * Double(layers.map(\.count).max() ?? 0) + 12, 60), 200)
        let width = 710 - left
        let rowHeight = min(18, max(6, 320 / Double(max(layers.count, 1))))
        let height = rowHeight * Double(layers.count)
        let range = colourRange
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 \(number(top + height + bottom))" role="img" \
            font-family="system-ui, sans-serif" font-size="11">
            """,
            "<title>\(MarkupText.escaped(title))</title>",
            """
            <style>.ink{fill:#24292f}.quiet{fill:#6e7781}.none{stroke:#d0d7de}.tick{stroke:#8c959f}\
            @media(prefers-color-scheme:dark){.ink{fill:#e6edf3}\
            .quiet{fill:#9198a1}.none{stroke:#3d444d}.tick{stroke:#6e7681}}</style>
            """,
            text(left, 18, title, "font-size=\"13\" font-weight=\"600\""),
        ]
        let labelEvery = max(1, Int((11 / rowHeight).rounded(.up)))
        for (row, layer) in layers.enumerated() where row % labelEvery == 0 {
            let y = top + (Double(row) + 0.5) * rowHeight + 3.5
            lines.append(text(left - 6, y, layer, "text-anchor=\"end\" font-size=\"10\"", "quiet"))
        }
        lines += cells(range, left: left, top: top, width: width, rowHeight: rowHeight)
        lines += columnLabels(left: left, y: top + height, width: width)
        lines += legend(range, x: left + width + 16, top: top, height: min(max(height, 60), 160))
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The cells: a path for each colour. A path draws neighbours as one stroke, so that a picture of thousands of
    /// cells takes some kilobytes.
    private func cells(_ range: ClosedRange<Double>?, left: Double, top: Double, width: Double, rowHeight: Double)
        -> [String]
    {
        let edges = self.edges.map { $0 * width }
        // The paints in order of first use.
        var (paints, paths): ([String], [String: String]) = ([], [:])
        for row in layers.indices {
            var column = 0
            while column < columns.count {
                let fill = colour(row, column, range)
                // The stroke is a little too wide, so that no seam shows.
                var end = column + 1
                while end < columns.count, colour(row, end, range) == fill { end += 1 }
                let paint = fill.map { "stroke=\"\($0)\"" } ?? "class=\"none\""
                if paths[paint] == nil { paints.append(paint) }
                paths[paint, default: ""] +=
                    "M\(short(edges[column])) \(row)h\(short(edges[end] - edges[column] + 0.3))"
                column = end
            }
        }
        return [
            """
            <g transform="translate(\(number(left)) \(number(top))) scale(1 \(String(format: "%.3f", rowHeight))) \
            translate(0 .5)" shape-rendering="crispEdges">
            """
        ] + paints.map { "<path \($0) d=\"\(paths[$0] ?? "")\"/>" } + ["</g>"]
    }

    // MARK: Columns

    /// The edges of columns, as shares of the width.
    private var edges: [Double] {
        switch columns {
        case .steps(let steps, _):
            let last = Double(max(steps.last ?? 1, 1))
            return [0] + steps.map { Double($0) / last }
        case .names(let names):
            return (0...names.count).map { Double($0) / Double(max(names.count, 1)) }
        }
    }

    /// The height below the cells.
    private var bottom: Double {
        guard case .names(let names) = columns else { return 44 }
        // Names are slanted.
        return 24 + 4 * Double(names.map(\.count).max() ?? 0)
    }

    private func columnLabels(left: Double, y: Double, width: Double) -> [String] {
        switch columns {
        case .names(let names):
            return names.enumerated().map { index, name in
                let x = left + (Double(index) + 0.5) / Double(names.count) * width + 3
                return text(
                    x, y + 14, name, "text-anchor=\"end\" transform=\"rotate(-35 \(number(x)) \(number(y + 14)))\"",
                    "quiet")
            }
        case .steps(let steps, let perEpoch):
            guard let last = steps.last, last > 0 else { return [] }
            let unit = max(perEpoch ?? 1, 1)
            let every = Self.roundStep(last / unit, atMost: 10)
            let ticks = stride(from: 0, through: last / unit, by: every).flatMap { tick in
                let x = left + Double(tick * unit) / Double(last) * width
                return [
                    """
                    <line x1="\(number(x))" x2="\(number(x))" y1="\(number(y + 1))" y2="\(number(y + 5))" \
                    class="tick"/>
                    """,
                    text(x, y + 17, "\(tick)", "text-anchor=\"middle\"", "quiet"),
                ]
            }
            return ticks + [
                text(left + width / 2, y + 34, perEpoch == nil ? "step" : "epoch", "text-anchor=\"middle\"", "quiet")
            ]
        }
    }

    /// The smallest of 1, 2, 5, 10, … that divides `whole` into at most `count` parts.
    private static func roundStep(_ whole: Int, atMost count: Int) -> Int {
        var magnitude = 1
        while true {
            for step in [magnitude, 2 * magnitude, 5 * magnitude] where whole / step <= count { return step }
            magnitude *= 10
        }
    }

    // MARK: Colours

    /// The figures of the coldest and the warmest colour, on the scale of colours; `nil` if there is no figure to show.
    private var colourRange: ClosedRange<Double>? {
        let shown = values.joined().compactMap(position)
        guard let low = shown.min(), let high = shown.max() else { return nil }
        return low...high
    }

    /// A figure on the scale of colours; `nil` if the figure has no place there.
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
        // The halves are subtracted, because the difference of two finite numbers may be infinite.
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
            """
            <rect x="\(number(x))" y="\(number(top + Double(index) * step))" width="10" \
            height="\(number(step + 0.1))" fill="\(Self.colour(1 - Double(index) / Double(count - 1)))"/>
            """
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
        """
        <text x="\(number(x))" y="\(number(y))" class="\(style)" \
        \(attributes)>\(MarkupText.escaped(content))</text>
        """
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }

    /// A short text of a figure, with at most one digit behind the point.
    private func short(_ value: Double) -> String {
        let text = number(value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

}

/// Texts in SVG and HTML.
package enum MarkupText {
    /// A text as content or in an attribute.
    package static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }
}
