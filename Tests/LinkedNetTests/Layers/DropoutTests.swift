import LinkedNet
import Testing

@Suite struct DropoutTests {
    private let batch = 8
    private let features = 5_000

    private func network(_ rate: Float, seed: UInt64 = 1) throws -> Network {
        let model = Sequential {
            TrainableInput(shape: [features], batch: batch)
            Dropout(rate)
            Dropout(rate)
        }
        let network = try Network(model, input: [1], batch: batch, seed: seed)
        try network.setWeight(named: "input/value", to: Tensor(shape: [batch, features], repeating: 1))
        return network
    }

    private func outputs(_ network: Network, _ mode: Network.Mode, operation: Int) throws -> [Float] {
        var result: [Float] = []
        let unread = Array(repeating: Float(0), count: batch)
        try network.forward(input: unread.span, mode: mode) { index, output in
            if index == operation { result = Array(output) }
        }
        return result
    }

    @Test(arguments: [0.1, 0.5, 0.8] as [Float])
    func keepsTheShareItShouldAtTheRightScale(rate: Float) throws {
        let outputs = try outputs(network(rate), .training(step: 0), operation: 1)
        let kept = outputs.filter { $0 != 0 }
        for value in kept { #expect(abs(value * (1 - rate) - 1) < 1e-6) }
        let count = Double(outputs.count)
        let expected = Double(1 - rate)
        // Five standard deviations of a binomial share.
        #expect(abs(Double(kept.count) / count - expected) < 5 * (expected * (1 - expected) / count).squareRoot())
        // Neighbours are dropped independently of each other.
        let pairs = zip(outputs, outputs.dropFirst()).count { $0 != 0 && $1 != 0 }
        let pairShare = expected * expected
        #expect(abs(Double(pairs) / count - pairShare) < 8 * (pairShare * (1 - pairShare) / count).squareRoot())
    }

    @Test func backwardUsesTheForwardMask() throws {
        let network = try network(0.4)
        let unread = Array(repeating: Float(0), count: batch)
        for step in [0, 1, 500] as [UInt64] {
            try network.forward(input: unread.span, mode: .training(step: step))
            let count = batch * features
            let outputs = Array(UnsafeBufferPointer(start: network.output, count: count))
            for index in 0..<count { network.outputGradient[index] = 1 }
            try network.backward(input: unread.span, step: step)
            // With an input of ones, the output and the gradient are the mask.
            #expect(try network.gradient(named: "input/value").elements == outputs)
            #expect(outputs.contains(0))
        }
    }

    @Test func masksDifferByStepLayerSampleAndSeed() throws {
        let network = try network(0.5)
        let first = try outputs(network, .training(step: 0), operation: 1)
        #expect(try outputs(network, .training(step: 0), operation: 1) == first)
        #expect(try outputs(network, .training(step: 1), operation: 1) != first)
        #expect(try outputs(self.network(0.5, seed: 2), .training(step: 0), operation: 1) != first)
        #expect(first[..<features] != first[features..<2 * features])
        // The second layer drops different elements from the first. With the same elements, the test could not tell the
        // layers apart.
        let second = try outputs(network, .training(step: 0), operation: 2)
        #expect(zip(first, second).contains { $0 != 0 && $1 == 0 })
    }

    @Test func evaluationDropsNothing() throws {
        #expect(try outputs(network(0.7), .inference, operation: 2) == Array(repeating: 1, count: batch * features))
        #expect(
            try outputs(network(0), .training(step: 4), operation: 2) == Array(repeating: 1, count: batch * features))
    }
}
