@testable import LinkedNet

/// Runs layers, and weighs their output, their input, and the sum of the two with a user's operation. The operation
/// reads tensors that other operations read, too, and may read a tensor several times.
struct Reread: Layer {
    /// The source of one of the operation's inputs.
    enum Source {
        case input, body, sum
    }

    /// The layers, which keep the shape.
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

    /// The weight of input `index`, which multiplies the input beside the factor.
    static func weight(_ index: Int) -> Float { 1 - 0.375 * Float(index) }
}

/// Σ weight·factor·input, each factor a parameter of its own. Backward reads all gradients that it adds to before it
/// writes a gradient, and writes the last gradient first.
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

/// Gives its input. Other layers read the input, but their output is unused, so their parameters get no gradient.
struct ReadInside: Layer {
    let readers: [any Layer]

    init(_ readers: [any Layer]) { self.readers = readers }

    var name: String? { Self.name }

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        _ = try readers.reduce(input) { try graph.apply($1, to: $0) }
        return input
    }

    static let name = "unused"

    /// True if a parameter belongs to such a reader.
    static func holds(_ parameter: String) -> Bool { parameter.split(separator: "/").contains { $0.hasPrefix(name) } }
}
