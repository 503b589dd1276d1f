import Foundation
import LinkedNet

/// The scores of a network, as text for people or as JSON.
struct Report: Encodable {
    private let event = "evaluation"
    private let data: String
    private let images: Int
    /// `nil` if the loss isn't a finite number.
    private let testLoss: Double?
    private let testAccuracy: Double
    private let classes: [String]?
    /// A row for each class, and a column for each predicted class.
    private let confusion: [[Int]]?

    init(_ result: EvaluationResult, of dataset: any Dataset, confusion showsConfusion: Bool) {
        data = dataset.name
        images = result.result.sampleCount
        testLoss = result.loss.isFinite ? result.loss : nil
        testAccuracy = result.accuracy
        classes = showsConfusion ? dataset.classNames : nil
        confusion =
            showsConfusion
            ? (0..<result.classCount).map { label in
                Array(result.confusion[label * result.classCount..<(label + 1) * result.classCount])
            } : nil
    }

    /// The JSON text on one line.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        let loss = testLoss.map { String(format: "%.4f", $0) } ?? "not a number"
        let accuracy = String(format: "%.4f", testAccuracy)
        let summary = "\(data.printable()): test loss \(loss), test accuracy \(accuracy) (\(images) images)"
        guard let matrix else { return summary }
        return "\(summary)\n\n\(matrix)"
    }

    /// The confusion matrix with aligned columns.
    private var matrix: String? {
        guard let classes = classes?.map({ $0.printable(longest: 40) }), let confusion else { return nil }
        let lines = [["true \\ predicted"] + classes] + zip(classes, confusion).map { [$0] + $1.map(String.init) }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return column == 0 ? line[column] + padding : padding + line[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
