import LinkedNet

/// A layer whose output is a parameter `value` of a whole batch, so that a test can read the gradient with respect to a
/// network's input like the gradient of any weight. The network's real input is not read.
struct TrainableInput: Layer {
    /// The shape of one sample.
    let shape: Shape
    let batch: Int

    var name: String? { "input" }

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let value = try graph.parameter("value", shape: Shape([batch] + shape.dimensions)) { weights, random in
            for index in weights.indices { weights[index] = Float(random.normal()) }
        }
        return try graph.add(
            ParameterOperation(elementCount: shape.elementCount), inputs: [input], parameters: [value],
            outputShape: shape)
    }
}

/// The output is the parameter. Every call takes the whole batch.
private struct ParameterOperation: GraphOperation {
    let elementCount: Int

    var label: String { "Parameter" }
    var backwardReadsInputs: Bool { false }

    func forward(_ context: OperationContext) {
        context.output.update(from: context.parameter(0), count: context.batch * elementCount)
    }

    func backward(_ context: OperationContext) {
        context.parameterGradient(0).update(from: context.outputGradient, count: context.batch * elementCount)
    }
}
