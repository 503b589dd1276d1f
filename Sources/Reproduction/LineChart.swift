import Foundation
import LinkedNet

/// Curves over a common axis, as an SVG document that suits light and dark pages.
struct LineChart {
    /// A curve.
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
        let style: Style
    }

    /// The look of a curve: a colour for each activation, and a stroke for a plain, widened or linked network.
    struct Style {
        /// The colour's index in the palette.
        let colour: Int
        let stroke: Stroke

        enum Stroke: String {
            case solid = ""
            case dashed = "6 4"
            case dotted = "1.5 3.5"
        }

        /// The style of a row of the paper's tables.
        init(row: String, isLinked: Bool) {
            let bases = ["PReLU", "SELU", "Swish", "BN", "ReLU"]
            let base = bases.firstIndex { row.contains($0) } ?? 4
            colour = base
            stroke = isLinked ? .solid : row.contains("√2") ? .dotted : .dashed
        }

        init(colour: Int, stroke: Stroke = .solid) {
            self.colour = colour
            self.stroke = stroke
        }
    }

    let title: String
    let xLabel: String
    let yLabel: String
    /// True if x is a count. Ticks then have no fractions.
    var countsX = false
    /// The smallest distance between ticks of y.
    var leastY = 0.0
    let series: [Series]

    /// Colours that colour-blind readers can tell apart: one set for light pages, and one set for dark pages.
    private static let light = ["#0072b2", "#c2410c", "#00795c", "#9333a8", "#1f2328", "#a16207"]
    private static let dark = ["#56b4e9", "#ff9a5c", "#3ddc97", "#d8a1ff", "#e6edf3", "#f0c541"]

    static var css: String {
        func rules(_ colours: [String], ink: String, quiet: String, grid: String) -> String {
            colours.enumerated().map { ".c\($0){stroke:\($1)}.f\($0){fill:\($1)}" }.joined()
                + ".ink{fill:\(ink)}.quiet{fill:\(quiet)}.grid{stroke:\(grid)}.none{fill:\(grid)}"
        }
        return rules(light, ink: "#1f2328", quiet: "#59636e", grid: "#d8dee4")
            + "@media(prefers-color-scheme:dark){"
            + rules(dark, ink: "#e6edf3", quiet: "#9198a1", grid: "#30363d") + "}"
    }

    var svg: String {
        let (left, top, width, height) = (52.0, 36.0, 520.0, 270.0)
        let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let x = Axis(points.map(\.x), leastStep: countsX ? 1 : 0)
        let y = Axis(points.map(\.y), leastStep: leastY)
        func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
            (left + x.share(point.x) * width, top + (1 - y.share(point.y)) * height)
        }
        let rows = max(height + 60, Double(series.count) * 17 + 50)
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 \(number(top + rows))" role="img" \
            font-family="system-ui, sans-serif" font-size="12">
            """,
            "<title>\(MarkupText.escaped(title))</title>", "<style>\(Self.css)</style>",
            """
            <text x="\(number(left))" y="20" class="ink" font-size="14" \
            font-weight="600">\(MarkupText.escaped(title))</text>
            """,
        ]
        for tick in y.ticks {
            let at = place((x.low, tick)).y
            lines.append(
                """
                <line x1="\(number(left))" x2="\(number(left + width))" y1="\(number(at))" y2="\(number(at))" \
                class="grid"/>
                """
            )
            lines.append(
                """
                <text x="\(number(left - 7))" y="\(number(at + 4))" text-anchor="end" \
                class="quiet">\(y.text(tick))</text>
                """
            )
        }
        for tick in x.ticks {
            let at = place((tick, y.low)).x
            lines.append(
                """
                <text x="\(number(at))" y="\(number(top + height + 18))" text-anchor="middle" \
                class="quiet">\(x.text(tick))</text>
                """
            )
        }
        lines.append(
            """
            <text x="\(number(left + width / 2))" y="\(number(top + height + 38))" text-anchor="middle" \
            class="quiet">\(MarkupText.escaped(xLabel))</text>
            """
        )
        lines.append(
            """
            <text x="\(number(left + width))" y="20" text-anchor="end" \
            class="quiet">\(MarkupText.escaped(yLabel))</text>
            """
        )
        for (index, line) in series.enumerated() {
            let drawn = line.points.filter { $0.x.isFinite && $0.y.isFinite }.map(place)
            let dashes = line.style.stroke == .solid ? "" : " stroke-dasharray=\"\(line.style.stroke.rawValue)\""
            let colour = line.style.colour % Self.light.count
            if drawn.count == 1, let point = drawn.first {
                lines.append(
                    "<circle cx=\"\(number(point.x))\" cy=\"\(number(point.y))\" r=\"3.5\" class=\"f\(colour)\"/>")
            } else if !drawn.isEmpty {
                let path = drawn.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
                lines.append(
                    """
                    <polyline points="\(path)" fill="none" stroke-width="2" stroke-linejoin="round" \
                    class="c\(colour)"\(dashes)/>
                    """
                )
            }
            let row = top + 8 + Double(index) * 17
            lines.append(
                """
                <line x1="\(number(left + width + 18))" x2="\(number(left + width + 46))" \
                y1="\(number(row - 4))" y2="\(number(row - 4))" stroke-width="2" class="c\(colour)"\(dashes)/>
                """
            )
            lines.append(
                """
                <text x="\(number(left + width + 52))" y="\(number(row))" \
                class="ink">\(MarkupText.escaped(line.name))</text>
                """
            )
        }
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }

    /// An axis from a round number to a round number.
    private struct Axis {
        let low, high, step: Double

        init(_ values: [Double], leastStep: Double = 0) {
            let (least, most) = (values.min() ?? 0, values.max() ?? 1)
            let range = max(most - least, 1e-6)
            let magnitude = pow(10, floor(log10(range / 5)))
            step = max([1, 2, 5, 10].map { $0 * magnitude }.first { range / $0 <= 6 } ?? magnitude * 10, leastStep)
            low = floor(least / step + 1e-9) * step
            high = max(ceil(most / step - 1e-9) * step, low + step)
        }

        var ticks: [Double] { (0...Int(((high - low) / step).rounded())).map { low + Double($0) * step } }
        func share(_ value: Double) -> Double { (value - low) / (high - low) }
        func text(_ tick: Double) -> String {
            let digits = max(0, Int(ceil(-log10(step) - 1e-9)))
            return String(format: "%.\(digits)f", tick == 0 ? 0 : tick)
        }
    }
}
