import LinkedNet
import Testing

/// Activations computed in Swift and in kernels: both give the same numbers, forward and backward.
@Suite struct CustomActivationTests {
    private static let relu = ElementFunction(name: "own relu", value: { max($0, 0) }, derivative: { $0 > 0 ? 1 : 0 })
    private static let leaky = ElementFunction(
        name: "own leaky relu", value: { $0 > 0 ? $0 : 0.3 * $0 }, derivative: { $0 > 0 ? 1 : 0.3 })

    /// A training pass of `layers` behind a 5×4×3 input; outputs and all gradients.
    private func pass(_ layers: [any Layer]) throws -> [String: Tensor] {
        let batch = 3
        let model = Sequential {
            TrainableInput(shape: [5, 4, 3], batch: batch)
            layers
        }
        let network = try Network(model, input: [1], batch: batch, seed: 9)
        let count = batch * network.outputShape.elementCount
        let unread = Array(repeating: Float(0), count: batch)
        try network.forward(input: unread.span, mode: .training(step: 0))
        var results = [
            "output": try Tensor(
                shape: [count], elements: Array(UnsafeBufferPointer(start: network.output, count: count)))
        ]
        var random = CounterRandom(seed: 1, use: RandomUse(rawValue: 2001))
        for index in 0..<count { network.outputGradient[index] = Float(random.normal()) }
        try network.backward(input: unread.span, step: 0)
        for entry in network.parameterLayout.entries {
            results[entry.name] = try network.gradient(named: entry.name)
        }
        return results
    }

    private func expectSame(_ one: [any Layer], _ other: [any Layer]) throws {
        let first = try pass(one)
        let second = try pass(other)
        #expect(first.keys.sorted() == second.keys.sorted())
        #expect(first["conv2d/kernel"] != nil && first["input/value"] != nil)
        for (name, tensor) in first { expectClose(try #require(second[name]).elements, tensor, name) }
    }

    private let consumer = Conv2D(6, kernel: 3, padding: .same)

    @Test func plainFunctionsEqualFusedOnes() throws {
        try expectSame([Activation(.relu), consumer], [Activation(.custom(Self.relu)), consumer])
        try expectSame([Activation(.leakyReLU()), consumer], [Activation(.custom(Self.leaky)), consumer])
    }

    @Test func linkagesEqualFusedOnes() throws {
        try expectSame(
            [LinkedActivation(.mirrored(.relu)), consumer],
            [LinkedActivation(try .mirrored(.custom(Self.relu))), consumer])
        // One custom member prevents the fusion of the whole linkage. The built-in members are then computed in Swift,
        // too.
        let scales: [(ActivationFunction, Float, Float)] = [
            (.swish, 0.5, 2), (.elu(alpha: 0.7), -1, 1), (.selu, -1, -1.5),
        ]
        let builtIn = scales.map { Linkage.Member($0.0, inputScale: $0.1, outputScale: $0.2) }
        try expectSame(
            [LinkedActivation(try Linkage(builtIn + [.init(.relu, inputScale: -2)])), consumer],
            [LinkedActivation(try Linkage(builtIn + [.init(.custom(Self.relu), inputScale: -2)])), consumer])
    }

    @Test func nineMembersAreComputedUnfused() throws {
        let functions: [ActivationFunction] = [
            .relu, .leakyReLU(), .elu(), .selu, .swish, .identity, .relu, .swish, .selu,
        ]
        let members = functions.enumerated().map { index, function in
            Linkage.Member(function, inputScale: index.isMultiple(of: 2) ? 1 : -1, outputScale: Float(index + 1) / 4)
        }
        let network = try Network(LinkedActivation(try Linkage(members)), input: [2, 2, 3], batch: 1)
        #expect(network.operations[0].label.contains("swish, selu"), "an operation of its own, in Swift")
        var check = try GradientCheck(
            [
                Conv2D(4, kernel: 1), LinkedActivation(try Linkage(members)), Conv2D(3, kernel: 3, padding: .same),
                Flatten(), Dense(5),
            ], input: [4, 3, 2], batch: 2, seed: 21)
        try check.run()
    }

    @Test func learnedSlopesCannotMixWithSwift() throws {
        let layer = LinkedActivation(
            try Linkage([.init(.prelu()), .init(.custom(Self.relu), inputScale: -1)]), name: "mix")
        #expect { try Network(layer, input: [3], batch: 1) } throws: {
            "\($0)".contains("mix") && "\($0)".contains("PReLU")
        }
        let both = LinkedActivation(
            try Linkage([.init(.prelu()), .init(.prelu(.perChannel), inputScale: -1)]), name: "both")
        #expect { try Network(both, input: [2, 2, 3], batch: 1) } throws: { "\($0)".contains("both") }
    }
}
