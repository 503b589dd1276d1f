import LinkedNet
import PaperNetworks
import Testing

/// Extreme sizes, which must end in an error and not in a trap.
@Suite struct ExtremeShapeTests {
    private func network(input: Shape = [8, 8, 2], batch: Int = 1, @LayerBuilder _ layers: () throws -> [any Layer])
        throws -> Network
    {
        try Network(Sequential(layers), input: input, batch: batch)
    }

    @Test(arguments: [Shape([]), [0, 8, 2], [-4, -4, 8], [.max, .max, 2]])
    func inputsThatAreNoImages(input: Shape) {
        #expect(throws: ShapeError.self) { try network(input: input) { Activation(.relu) } }
    }

    @Test(arguments: [5_000_000_000_000, .max, 0, -1])
    func batchSizes(batch: Int) {
        #expect(throws: ShapeError.self) {
            try network(batch: batch) {
                Conv2D(4, kernel: 3, padding: .same)
                MaxPool2D(2)
                Flatten()
                Dense(10)
            }
        }
    }

    @Test(arguments: [Padding.same, .sameLower, .valid, .explicit(1), .explicit(.max)])
    func windowsAndStrides(padding: Padding) {
        #expect(throws: ShapeError.self) { try network { Conv2D(4, kernel: .max, padding: padding) } }
        #expect(throws: ShapeError.self) { try network { Conv2D(4, kernel: 1, stride: .max, padding: padding) } }
        #expect(throws: ShapeError.self) { try network { MaxPool2D(2, stride: .max, padding: padding) } }
        #expect(throws: ShapeError.self) { try network { Conv2D(.max, kernel: 1, padding: padding) } }
    }

    @Test func widenedUnits() {
        let options = ModelOptions(widened: true)
        #expect(throws: ShapeError.self) {
            try Network(WidthNetwork(options, units: 9_000_000_000_000_000_000), input: [8, 8, 3])
        }
    }

    @Test func channelsOfManyMembersOrBranches() throws {
        let members = (0..<4).flatMap { _ in [Linkage.Member(.relu), Linkage.Member(.relu, inputScale: -1)] }
        let linkage = try Linkage(members)
        let one = ActivationFunction.custom(ElementFunction(name: "one", value: { $0 }, derivative: { _ in 1 }))
        let custom = try Linkage(members.map { _ in Linkage.Member(one) })
        for linkage in [linkage, custom] {
            #expect(throws: ShapeError.self) { try network(input: [1 << 60]) { LinkedActivation(linkage) } }
        }
        let branches = Concat { for _ in 0..<8 { Activation(.relu) } }
        #expect(throws: ShapeError.self) { try network(input: [1 << 60]) { branches } }
    }

    @Test func aStrideFarBeyondTheImage() throws {
        let network = try network {
            Conv2D(3, kernel: 1, stride: 1_000_000, padding: .same, biasInitializer: .ones)
            Flatten()
        }
        let output = try network.predict(Tensor(shape: [1, 8, 8, 2], repeating: 0))
        #expect(output.elements == [1, 1, 1])
        let pixels = [Float](repeating: 1, count: 128)
        try network.forward(input: pixels.span, mode: .training(step: 0))
        try network.backward(input: pixels.span, step: 0)
        let gradients = try network.gradient(named: "conv2d/kernel")
        #expect(gradients.elements.allSatisfy { $0 == 0 })
    }

    /// A pending activation is computed before a reader takes the value as an image of another shape.
    @Test func aReshapedActivationIsComputedFirst() throws {
        let model = Sequential {
            LinkedActivation(.mirrored(.relu))
            Reshaped(shape: [8, 8, 2])
            Conv2D(1, kernel: 1, kernelInitializer: .ones)
            Flatten()
        }
        let network = try Network(model, input: [8, 4, 2], batch: 1)
        let input = (0..<64).map { Float($0 % 7) - 3 }
        let output = try network.predict(Tensor(shape: [1, 8, 4, 2], elements: input))
        // Channels of a position: relu(a), relu(b), relu(−a), relu(−b). After the reshape, the first two channels are
        // one position, and the other two the next position.
        var expected: [Float] = []
        for index in stride(from: 0, to: 64, by: 2) {
            let (a, b) = (input[index], input[index + 1])
            expected.append(max(a, 0) + max(b, 0))
            expected.append(max(-a, 0) + max(-b, 0))
        }
        #expect(output.elements == expected)
    }
}

private struct Reshaped: Layer {
    let shape: Shape

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try graph.reshaped(input, to: shape)
    }
}
