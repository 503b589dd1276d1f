@testable import LinkedNet

/// Runs layers, and weighs what they give, their input, and the sum of the two, by an operation of a user's own that
/// reads tensors which others read, too, and may read one several times.
struct Reread: Layer {
    /// What the operation reads as one of its inputs.
    enum Source {
        case input, body, sum
    }

    /// They keep the shape.
    let body: [any Layer]
    let sources: [Source]

    init(_ body: [any Layer], sources: [Source]) {
        self.body = body
        self.sources = sources
    }

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let main = try body.reduce(input) { try graph.apply($1, to: $0) }
        var sum = main
        if sources.contains(.sum) {
            sum = try graph.add(
                AddOperation(elementCount: main.shape.elementCount), inputs: [main, input], outputShape: main.shape)
        }
        let factor = try graph.parameter("factor", shape: [1]) { values, _ in values.update(repeating: 0.7) }
        let inputs = sources.map { source in
            switch source {
            case .input: input
            case .body: main
            case .sum: sum
            }
        }
        return try graph.add(
            WeighingOperation(elementCount: input.shape.elementCount, inputCount: inputs.count), inputs: inputs,
            parameters: inputs.map { _ in factor }, outputShape: input.shape)
    }

    /// What input `index` is multiplied by, beside the factor.
    static func weight(_ index: Int) -> Float { 1 - 0.375 * Float(index) }
}

/// Σ weight·factor·input, each factor a parameter of its own. Backward reads all that it adds to before it writes any,
/// and writes the last first.
private struct WeighingOperation: GraphOperation {
    let elementCount, inputCount: Int

    var label: String { "Weighing" }
    var isSamplewise: Bool { true }

    func forward(_ context: OperationContext) {
        for element in 0..<context.batch * elementCount {
            context.output[element] = (0..<inputCount).reduce(0) { sum, index in
                sum + Reread.weight(index) * context.parameter(index)[0] * context.input(index)[element]
            }
        }
    }

    func backward(_ context: OperationContext) {
        let indices = Array((0..<inputCount).reversed())
        for element in 0..<context.batch * elementCount {
            let gradient = context.outputGradient[element]
            let before = indices.map { index in
                context.accumulatesInputGradient(index) ? context.inputGradient(index)?[element] ?? 0 : 0
            }
            for (old, index) in zip(before, indices) {
                context.inputGradient(index)?[element] =
                    old + Reread.weight(index) * context.parameter(index)[0] * gradient
            }
        }
        for index in indices {
            let products = (0..<context.batch * elementCount).reduce(0.0) { sum, element in
                sum + Double(context.outputGradient[element]) * Double(context.input(index)[element])
            }
            context.parameterGradient(index)[0] = Reread.weight(index) * Float(products)
        }
    }
}

/// Gives its input, which other layers read for nothing: their parameters get no gradient.
struct ReadInside: Layer {
    let readers: [any Layer]

    init(_ readers: [any Layer]) { self.readers = readers }

    var name: String? { Self.name }

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        _ = try readers.reduce(input) { try graph.apply($1, to: $0) }
        return input
    }

    static let name = "unused"

    /// Whether a parameter is one of such readers'.
    static func holds(_ parameter: String) -> Bool { parameter.split(separator: "/").contains { $0.hasPrefix(name) } }
}
