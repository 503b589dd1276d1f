import Testing

@testable import LinkedNet

/// Graphs on which a rewrite must not act, or that a rewrite has to pass over.
@Suite struct RewriteLegalityTests {
    /// A BatchNorm that reads a 1×1 convolution's output in another shape has other channels than the convolution.
    @Test(arguments: [3, 32])
    func aBatchNormOfOtherChannelsSharesNothing(batch: Int) throws {
        let layers: [any Layer] = [Conv2D(8, kernel: 1), Flatten(), BatchNorm(), Dense(3)]
        var check = try GradientCheck(layers, input: [4, 4, 3], batch: batch, seed: 61)
        try check.run(.quick)
        try check.expectSame(
            as: GradientCheck(layers, input: [4, 4, 3], batch: batch, seed: 61, fusion: .nothing))
    }

    /// A user's operation that reads nothing but a parameter.
    private struct Constant: Layer, GraphOperation {
        let count: Int

        var label: String { "Constant \(count)" }
        var isSamplewise: Bool { true }

        func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
            let values = try graph.parameter("values", shape: [count]) { values, _ in values.update(repeating: 2) }
            let constant = try graph.add(self, inputs: [], parameters: [values], outputShape: [count])
            return try graph.apply(Dense(2), to: constant)
        }

        func forward(_ context: OperationContext) {
            for index in 0..<context.batch * count { context.output[index] = context.parameter(0)[index % count] }
        }

        func backward(_ context: OperationContext) {
            for index in 0..<count { context.parameterGradient(0)[index] = 0 }
            for index in 0..<context.batch * count {
                context.parameterGradient(0)[index % count] += context.outputGradient[index]
            }
        }
    }

    @Test func anOperationWithoutInputs() throws {
        let network = try Network(Constant(count: 5), input: [3], batch: 4, seed: 1)
        let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.1))
        let before = Array(network.parameters)
        let losses = try (0..<20).map { _ in
            try trainer.step(pixels: [Float](repeating: 0, count: 12), labels: [1, 1, 1, 1]).loss
        }
        #expect(losses[19] < losses[0])
        #expect(zip(before, network.parameters).contains { $0 != $1 })
    }

    /// A user's operation that counts its samples in a state.
    private struct Counter: Layer, GraphOperation {
        var label: String { "Counter" }
        var isSamplewise: Bool { true }
        let elements: Int

        func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
            try graph.add(
                self, inputs: [input], states: [graph.state("count", shape: [1], value: 0)], outputShape: input.shape)
        }

        func forward(_ context: OperationContext) {
            context.output.update(from: context.input(), count: context.batch * elements)
            context.state(0)[0] += 1
        }

        func backward(_ context: OperationContext) {
            guard let gradient = context.inputGradient() else { return }
            for index in 0..<context.batch * elements {
                gradient[index] =
                    context.outputGradient[index]
                    + (context.accumulatesInputGradient() ? gradient[index] : 0)
            }
        }
    }

    /// Micro-batches run at once and share the states, so a network with a state takes its batch whole.
    @Test func aStateIsOfWholeBatches() throws {
        func network(_ counter: [any Layer]) throws -> Network {
            let model = Sequential {
                Conv2D(32, kernel: 3, padding: .same)
                counter
                Conv2D(32, kernel: 3, padding: .same)
                Conv2D(4, kernel: 3, stride: 8)
                Flatten()
                Dense(3)
            }
            return try Network(model, input: [96, 96, 1], batch: 32, seed: 1)
        }
        #expect(try network([]).microBatchSize < 32)
        #expect(try network([Counter(elements: 96 * 96 * 32)]).microBatchSize == 32)
    }

    @Test func aBackwardPassNeedsAForwardPass() throws {
        let network = try Network(Sequential { Dense(10) }, input: [200], batch: 32, seed: 1)
        let pixels = [Float](repeating: 1, count: 32 * 200)
        let error = try #require(throws: ShapeError.self) { try network.backward(input: pixels.span, step: 0) }
        #expect("\(error)".contains("a forward pass before"))
        try network.forward(input: pixels.span, mode: .training(step: 0))
        network.outputGradient.update(repeating: 1, count: 320)
        try network.backward(input: pixels.span, step: 0)
    }
    /// A backward pass reads the input that it is given, and no memory of the forward pass's caller.
    @Test func aForwardPassKeepsNoReferenceToItsInput() throws {
        let network = try Network(Sequential { Dense(10) }, input: [200], batch: 32, seed: 1)
        func gradients(ofCopies: Bool) throws -> [Float] {
            var pixels = (0..<32 * 200).map { Float($0 % 13) }
            try network.forward(input: pixels.span, mode: .training(step: 0))
            network.outputGradient.update(repeating: 1, count: 320)
            if ofCopies {
                let copy = pixels.map { $0 }
                for index in pixels.indices { pixels[index] = .nan }
                try network.backward(input: copy.span, step: 0)
            } else {
                try network.backward(input: pixels.span, step: 0)
            }
            return Array(network.parameterGradients)
        }
        #expect(try gradients(ofCopies: true) == gradients(ofCopies: false))
    }
}
