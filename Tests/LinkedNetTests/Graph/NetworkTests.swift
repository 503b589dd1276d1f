import Testing

@testable import LinkedNet

@Suite struct NetworkTests {
    private static func model() throws -> Sequential {
        Sequential {
            Conv2D(7, kernel: 3, padding: .same)
            BatchNorm()
            LinkedActivation(.mirrored(.relu))
            MaxPool2D(2)
            Dropout(0.4)
            Residual {
                Conv2D(14, kernel: 3, padding: .same)
                Activation(.prelu())
            }
            Conv2D(9, kernel: 3, stride: 2)
            LinkedActivation(.mirrored(.swish))
            Flatten()
            Dense(10)
        }
    }

    private static let sample: Shape = [11, 9, 3]

    private static func images(_ count: Int) throws -> Tensor {
        var random = CounterRandom(seed: 77, use: RandomUse(rawValue: 2003))
        let shape = Shape([count] + sample.dimensions)
        return try Tensor(shape: shape, elements: (0..<shape.elementCount).map { _ in Float(random.normal()) })
    }

    private static func train(_ network: Network, _ images: Tensor, labels: [Int32]) throws -> LossResult {
        let count = images.shape[0]
        try network.forward(input: images.elements.span, mode: .training(step: 3))
        let result = SoftmaxCrossEntropy().evaluate(
            output: network.output, labels: labels, count: count, classes: 10, gradient: network.outputGradient)
        try network.backward(input: images.elements.span, step: 3)
        return result
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
        let images = try Self.images(6)
        let labels: [Int32] = [3, 1, 4, 1, 5, 9]
        var results: [(bits: [UInt32], loss: Double)] = []
        for threads in [1, 2, 3, 7] {
            try Runtime.withThreadCount(threads) {
                let network = try Network(Self.model(), input: Self.sample, batch: 6, seed: 1)
                let loss = try Self.train(network, images, labels: labels).lossSum
                let bits = [network.parameterGradients, network.states].flatMap { $0.map(\.bitPattern) }
                results.append((bits, loss))
            }
        }
        #expect(results[0].bits.contains { $0 != 0 })
        for result in results.dropFirst() {
            #expect(result.bits == results[0].bits)
            #expect(result.loss == results[0].loss)
        }
    }

    @Test func batchSizesDoNotChangePredictions() throws {
        let images = try Self.images(7)
        let expected = try Network(Self.model(), input: Self.sample, batch: 7, seed: 2).predict(images)
        #expect(expected.shape == [7, 10])
        for batch in 1...6 {
            let network = try Network(Self.model(), input: Self.sample, batch: batch, seed: 2)
            expectClose(try network.predict(images).elements, expected, "batch \(batch)")
        }
    }

    @Test(arguments: [1, 3, 4, 5, 8, 13])
    func predictionsOfAnyNumberOfSamples(count: Int) throws {
        let network = try Network(Self.model(), input: Self.sample, batch: 4, seed: 2)
        let images = try Self.images(count)
        let together = try network.predict(images)
        #expect(together.shape == [count, 10])
        let size = Self.sample.elementCount
        for index in 0..<count {
            let one = try Tensor(
                shape: Shape([1] + Self.sample.dimensions),
                elements: Array(images.elements[index * size..<(index + 1) * size]))
            let alone = try network.predict(one)
            let expected = try Tensor(shape: [10], elements: alone.elements)
            expectClose(together.elements[index * 10..<(index + 1) * 10], expected, "sample \(index)")
        }
    }

    @Test(arguments: [[9, 11, 3], [2, 9, 11, 3], [2, 11, 9], [2, 11, 9, 3, 1], [297]])
    func predictionsOfTheWrongShape(dimensions: [Int]) throws {
        let network = try Network(Self.model(), input: Self.sample, batch: 4)
        let input = try Tensor(shape: Shape(dimensions))
        #expect { try network.predict(input) } throws: { "\($0)".contains("11×9×3") && $0 is ShapeError }
    }

    @Test func smallerTrainingBatchesThanPlanned() throws {
        let images = try Self.images(3)
        let exact = try Network(Self.model(), input: Self.sample, batch: 3, seed: 4)
        let roomy = try Network(Self.model(), input: Self.sample, batch: 8, seed: 4)
        let labels: [Int32] = [0, 9, 4]
        let one = try Self.train(exact, images, labels: labels)
        let other = try Self.train(roomy, images, labels: labels)
        #expect(abs(one.loss - other.loss) < 1e-5)
        for entry in exact.parameterLayout.entries {
            let expected = try exact.gradient(named: entry.name)
            let found = try roomy.gradient(named: entry.name)
            let scale = expected.elements.reduce(Float(1e-3)) { max($0, abs($1)) }
            for (a, b) in zip(expected.elements, found.elements) {
                #expect(abs(a - b) <= 1e-4 * scale, "\(entry.name)")
            }
        }
    }

    @Test func evaluationLeavesStatesAloneAndTrainingMovesThem() throws {
        let network = try Network(Self.model(), input: Self.sample, batch: 4, seed: 4)
        let images = try Self.images(4)
        let first = try network.predict(images)
        #expect(try network.predict(images) == first)
        #expect(try network.weight(named: "batch_norm/moving_mean").elements == Array(repeating: 0, count: 7))
        _ = try Self.train(network, images, labels: [1, 2, 3, 4])
        #expect(try network.weight(named: "batch_norm/moving_mean").elements != Array(repeating: 0, count: 7))
    }

    @Test func weightsByName() throws {
        let network = try Network(Self.model(), input: Self.sample, batch: 1)
        let names = network.weightInfos.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.contains("residual/conv2d/bias"))
        #expect(names.suffix(2) == ["batch_norm/moving_mean", "batch_norm/moving_variance"])
        #expect(network.weightInfos.count { !$0.isTrainable } == 2)

        let value = try Tensor(shape: [7], elements: [1, 2, 3, 4, 5, 6, 7])
        for name in ["conv2d/bias", "batch_norm/gamma", "batch_norm/moving_variance"] {
            try network.setWeight(named: name, to: value)
            #expect(try network.weight(named: name) == value)
        }
        let others = try network.weight(named: "conv2d/kernel")
        #expect(others != (try Tensor(shape: others.shape)))

        #expect(throws: WeightError.unknown(name: "conv2d/slopes")) { try network.weight(named: "conv2d/slopes") }
        #expect(throws: WeightError.unknown(name: "bias")) { try network.setWeight(named: "bias", to: value) }
        #expect(throws: WeightError.shape(name: "dense/bias", expected: [10], found: [7])) {
            try network.setWeight(named: "dense/bias", to: value)
        }
        // A state has no gradient.
        #expect(throws: WeightError.unknown(name: "batch_norm/moving_mean")) {
            try network.gradient(named: "batch_norm/moving_mean")
        }
    }

    @Test func gapsBetweenParametersStayZero() throws {
        let network = try Network(Self.model(), input: Self.sample, batch: 4, seed: 4)
        network.parameterGradients.update(repeating: 0)
        _ = try Self.train(network, Self.images(4), labels: [1, 2, 3, 4])
        let layout = network.parameterLayout
        let used = Set(layout.entries.indices.flatMap { layout.range(of: $0) })
        #expect(used.count == layout.elementCount && used.count < layout.count)
        for index in 0..<layout.count where !used.contains(index) {
            #expect(network.parameters[index] == 0 && network.parameterGradients[index] == 0)
        }
    }
}
