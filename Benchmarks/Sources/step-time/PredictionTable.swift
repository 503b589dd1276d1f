import Foundation
import LinkedNet
import ThreadSimulation

/// The predictions of a step's parts as text, added up by operation, the longest first. The operations of micro-batches
/// are those of the thread that ends last. The rest of this thread's time is a row of its own, with the waiting of the
/// other threads.
struct PredictionTable: CustomStringConvertible {
    private struct Row {
        let name: String
        var oneThread = 0.0, seconds = 0.0
        var losses = Losses()
    }

    let description: String

    init(_ prediction: Prediction, of network: Network, label: String) {
        let plan = network.planDescription
        var rows: [Row] = []
        func add(_ part: Prediction.Part, to name: String) {
            let index = rows.firstIndex { $0.name == name } ?? rows.count
            if index == rows.count { rows.append(Row(name: name)) }
            rows[index].oneThread += part.oneThread
            rows[index].seconds += part.seconds
            rows[index].losses += part.losses
        }
        func name(_ part: Prediction.Part) -> String {
            switch part.planStep {
            case plan.steps.indices: "\(plan.steps[part.planStep].pass) \(plan.steps[part.planStep].operation)"
            case plan.steps.count: "optimizer"
            default: "between steps"
            }
        }
        for part in prediction.parts {
            for inner in part.inside { add(inner, to: name(inner)) }
            add(part.outside, to: part.inside.isEmpty ? name(part) : "micro-batches")
        }
        rows.sort { $0.seconds > $1.seconds }
        let width = rows.map(\.name.count).max() ?? 0
        func line(_ name: String, _ oneThread: String, _ seconds: String, _ efficiency: String, _ limit: String)
            -> String
        {
            func left(_ text: String, _ width: Int) -> String { String(repeating: " ", count: width - text.count) }
            return name + left(name, width) + left(oneThread, 12) + oneThread + left(seconds, 12) + seconds
                + left(efficiency, 12) + efficiency + "  " + limit
        }
        func line(_ row: Row) -> String {
            let limit = row.losses.ranked[0]
            let share = limit.seconds / row.seconds
            return line(
                row.name, String(format: "%.3f", row.oneThread * 1e3), String(format: "%.3f", row.seconds * 1e3),
                String(format: "%.2f", row.oneThread / row.seconds / Double(prediction.threads)),
                share < 0.05 ? "" : String(format: "%@ %.0f %%", limit.name, share * 100))
        }
        var all = Row(name: "all")
        for row in rows {
            all.oneThread += row.oneThread
            all.seconds += row.seconds
            all.losses += row.losses
        }
        let title =
            "\(label) on \(prediction.threads) threads: "
            + String(format: "%.2f times one thread, efficiency %.2f", prediction.speedUp, prediction.efficiency)
        description =
            ([title, line("operation", "1 thread ms", "ms", "efficiency", "limited by")]
            + (rows + [all]).map { line($0) }).joined(separator: "\n")
    }
}
