import LinkedNet

/// Multiplies each channel by a learned number, 1 at first: a layer and an operation that LinkedNet doesn't have.
struct ChannelScale: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let channels = input.shape[-1]
        let scale = try graph.parameter("scale", shape: [channels]) { weights, _ in weights.update(repeating: 1) }
        return try graph.add(
            ChannelScaleOperation(positions: input.shape.elementCount / channels, channels: channels),
            inputs: [input], parameters: [scale], outputShape: input.shape)
    }
}

private struct ChannelScaleOperation: GraphOperation {
    let positions, channels: Int

    var label: String { "ChannelScale" }

    func forward(_ context: OperationContext) {
        let x = context.input()
        let scale = context.parameter(0)
        for row in 0..<context.batch * positions {
            for channel in 0..<channels {
                context.output[row * channels + channel] = scale[channel] * x[row * channels + channel]
            }
        }
    }

    func backward(_ context: OperationContext) {
        let x = context.input()
        let scale = context.parameter(0)
        let outputGradient = context.outputGradient
        let scaleGradient = context.parameterGradient(0)
        scaleGradient.update(repeating: 0, count: channels)
        let inputGradient = context.inputGradient()
        let accumulates = context.accumulatesInputGradient()
        for row in 0..<context.batch * positions {
            for channel in 0..<channels {
                let element = row * channels + channel
                scaleGradient[channel] += x[element] * outputGradient[element]
                if let inputGradient {
                    let share = scale[channel] * outputGradient[element]
                    inputGradient[element] = accumulates ? inputGradient[element] + share : share
                }
            }
        }
    }
}
