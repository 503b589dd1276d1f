import LinkedNet
import Testing

/// A user's layer and operation: y = x·exp(scale) per channel. The operation saves its factors from forward to
/// backward, and counts its training passes in a state.
private struct ExponentialScale: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let channels = input.shape[-1]
        let scale = try graph.parameter("scale", shape: [channels]) { scales, _ in scales.update(repeating: 0.5) }
        let passes = try graph.state("passes", shape: [1], value: 0)
        return try graph.add(
            ExponentialScaleOperation(rows: input.shape.elementCount / channels, channels: channels), inputs: [input],
            parameters: [scale], states: [passes], outputShape: input.shape)
    }
}

private struct ExponentialScaleOperation: GraphOperation {
    let rows, channels: Int

    var label: String { "ExponentialScale" }
    var backwardReadsOutput: Bool { true }
    var backwardReadsInputs: Bool { false }
    func savedBytes(batch: Int) -> Int { channels * 4 }

    func forward(_ context: OperationContext) {
        let factors = context.saved.assumingMemoryBound(to: Float.self)
        for channel in 0..<channels {
            // e^s by its series, which is exact enough for small s.
            var (term, sum): (Float, Float) = (1, 1)
            for power in 1..<12 {
                term *= context.parameter(0)[channel] / Float(power)
                sum += term
            }
            factors[channel] = sum
        }
        for index in 0..<context.batch * rows * channels {
            context.output[index] = context.input()[index] * factors[index % channels]
        }
        if context.isTraining { context.state(0)[0] += 1 }
    }

    func backward(_ context: OperationContext) {
        let factors = context.saved.assumingMemoryBound(to: Float.self)
        let scaleGradient = context.parameterGradient(0)
        for channel in 0..<channels { scaleGradient[channel] = 0 }
        for index in 0..<context.batch * rows * channels {
            // d(x·e^s)/ds is the output itself.
            scaleGradient[index % channels] += context.outputGradient[index] * context.output(at: index)
            if let gradient = context.inputGradient() {
                let own = context.outputGradient[index] * factors[index % channels]
                gradient[index] = context.accumulatesInputGradient() ? gradient[index] + own : own
            }
        }
    }
}

extension OperationContext {
    fileprivate func output(at index: Int) -> Float { output[index] }
}

/// A layer that composes others.
private struct Block: Layer {
    let filters: Int

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let inner = try graph.apply(Conv2D(filters, kernel: 3, padding: .same), to: input)
        return try graph.apply(LinkedActivation(.mirrored(.relu)), to: inner)
    }
}

@Suite struct CustomLayerTests {
    @Test func anOperationOfOnesOwnTrains() throws {
        let batch = 3
        let model = Sequential {
            TrainableInput(shape: [4, 4, 2], batch: batch)
            Activation(.swish)
            Residual { ExponentialScale() }
            Conv2D(3, kernel: 3)
        }
        let network = try Network(model, input: [1], batch: batch, seed: 6)
        let names = network.weightInfos.map(\.name)
        #expect(names.contains("residual/exponential_scale/scale"))
        #expect(names.last == "residual/exponential_scale/passes")
        let input = Array(repeating: Float(0), count: batch)

        // (1 + e^½)·swish(x) by a network without the layer, its kernel scaled instead.
        try network.forward(input: input.span, mode: .training(step: 0))
        let count = batch * network.outputShape.elementCount
        let outputs = Array(UnsafeBufferPointer(start: network.output, count: count))
        let outputGradient = (0..<count).map { $0.isMultiple(of: 3) ? 1 : Float(-0.25) }
        network.outputGradient.update(from: outputGradient, count: count)
        try network.backward(input: input.span, step: 0)

        let plainModel = Sequential {
            TrainableInput(shape: [4, 4, 2], batch: batch)
            Activation(.swish)
            Conv2D(3, kernel: 3)
        }
        let plain = try Network(plainModel, input: [1], batch: batch)
        let factor: Float = 1 + 1.6487212707001282
        let kernel = try network.weight(named: "conv2d/kernel")
        try plain.setWeight(named: "input/value", to: network.weight(named: "input/value"))
        try plain.setWeight(
            named: "conv2d/kernel", to: Tensor(shape: kernel.shape, elements: kernel.elements.map { $0 * factor }))
        try plain.forward(input: input.span, mode: .training(step: 0))
        let plainOutputs = try Tensor(
            shape: [count], elements: Array(UnsafeBufferPointer(start: plain.output, count: count)))
        expectClose(outputs, plainOutputs, "output")
        plain.outputGradient.update(from: outputGradient, count: count)
        try plain.backward(input: input.span, step: 0)
        expectClose(
            try network.gradient(named: "input/value").elements, try plain.gradient(named: "input/value"), "dx")

        // Scaling a channel by e^s scales the input of the channel's part of the kernel: dL/ds = e^s/(1 + e^s) · Σ
        // w·dL/dw over the channel.
        let gradient = try network.gradient(named: "conv2d/kernel")
        let scale = try network.gradient(named: "residual/exponential_scale/scale")
        for channel in 0..<2 {
            var sum = 0.0
            for tap in 0..<9 {
                for filter in 0..<3 {
                    let index = (tap * 2 + channel) * 3 + filter
                    sum += Double(kernel.elements[index]) * Double(gradient.elements[index])
                }
            }
            #expect(abs(Double(scale.elements[channel]) - sum * 1.6487212707 / 2.6487212707) < 1e-4)
        }
        #expect(try network.weight(named: "residual/exponential_scale/passes").elements == [1])
    }

    @Test func aLayerOfLayersFusesLikeTheBuiltInOnes() throws {
        let model = Sequential {
            Block(filters: 4)
            Block(filters: 5)
            GlobalAveragePool2D()
        }
        let network = try Network(model, input: [6, 6, 2], batch: 2)
        #expect(
            network.weightInfos.map(\.name) == [
                "block/conv2d/kernel", "block/conv2d/bias", "block_1/conv2d/kernel", "block_1/conv2d/bias",
            ])
        #expect(try network.weight(named: "block_1/conv2d/kernel").shape == [3, 3, 8, 5])
        #expect(network.outputShape == [10])
        #expect(network.operations.count == 4, "the first activation is fused, the second is stored for the average")
    }

    @Test func parametersOfALayerHaveDifferentNames() throws {
        struct Twice: Layer {
            func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
                _ = try graph.parameter("weight", shape: [1]) { _, _ in }
                _ = try graph.state("weight", shape: [1], value: 0)
                return input
            }
        }
        let error = try #require(throws: ShapeError.self) { try Network(Twice(), input: [2], batch: 1) }
        #expect(error.subject == "twice" && error.found.contains("weight"))
    }
}
