import LinkedNet
import PaperNetworks
import Testing

/// Steps that take a batch in several micro-batches.
@Suite struct MicroBatchTests {
    private static func network(batch: Int) throws -> Network {
        let model = Sequential {
            Conv2D(32, kernel: 3, padding: .same)
            LinkedActivation(.mirrored(.relu))
            Conv2D(32, kernel: 1)
            Activation(.relu)
            MaxPool2D(2)
            Conv2D(8, kernel: 3, stride: 4)
            Flatten()
            Dense(5)
        }
        return try Network(model, input: [96, 96, 1], batch: batch, seed: 3)
    }

    private static let pixels: [Float] = {
        var random = CounterRandom(seed: 9, use: RandomUse(rawValue: 2004))
        return (0..<32 * 96 * 96).map { _ in Float(random.normal()) }
    }()

    /// The gradients of a step are the sum of the micro-batches' gradients, each weighted by its share of the batch.
    /// Only the order of additions differs, because single-threaded kernels split no sum.
    @Test func aStepAddsUpItsPasses() throws {
        let whole = try Self.network(batch: 32)
        let pass = whole.microBatchSize
        #expect(pass == 8)
        let labels = (0..<32).map { Int32($0 % 5) }
        let trainer = try Trainer(whole, optimizer: SGD(learningRate: 0.125))
        let result = try trainer.step(pixels: Self.pixels, labels: labels)
        #expect(result.sampleCount == 32)

        let part = try Self.network(batch: pass)
        #expect(part.microBatchSize == pass)
        var sum = [Float](repeating: 0, count: part.parameterGradients.count)
        var lossSum = 0.0
        for start in stride(from: 0, to: 32, by: pass) {
            let pixels = Self.pixels.span.extracting(start * 96 * 96..<(start + pass) * 96 * 96)
            try part.forward(input: pixels, mode: .training(step: 0))
            lossSum +=
                SoftmaxCrossEntropy().evaluate(
                    output: part.output, labels: Array(labels[start..<start + pass]), count: pass, classes: 5,
                    gradient: part.outputGradient
                ).lossSum
            for index in 0..<pass * 5 { part.outputGradient[index] *= 0.25 }
            try part.backward(input: pixels, step: 0)
            for index in sum.indices { sum[index] += part.parameterGradients[index] }
        }
        #expect(result.lossSum == lossSum)
        #expect(relativeDistance(whole.parameterGradients, sum.map(Double.init)) < 1e-5)
    }

    /// One micro-batch after another, two or three at once (four micro-batches leave a last round of one), and seven
    /// threads for four micro-batches. With more threads, teams share the micro-batches.
    @Test func bitsDependOnNoNumberOfThreads() throws {
        let labels = (0..<32).map { Int32($0 % 5) }
        var weights: [[Float]] = []
        for threads in [1, 2, 3, 7, 16, 64] {
            try Runtime.withThreadCount(threads) {
                let trainer = try Trainer(try Self.network(batch: 32), optimizer: SGD(learningRate: 0.125))
                for _ in 0..<2 { try trainer.step(pixels: Self.pixels, labels: labels) }
                weights.append(Array(trainer.network.parameters))
            }
        }
        #expect(weights.allSatisfy { $0 == weights[0] })
        let untrained = try Self.network(batch: 32)
        withExtendedLifetime(untrained) { #expect(weights[0] != Array(untrained.parameters)) }
    }

    /// Micro-batches of one group of a chain: teams share the rows of the chain's layers.
    @Test func bitsOfChainsDependOnNoNumberOfThreads() throws {
        let labels = (0..<40).map { Int32($0 % 10) }
        let pixels = Array(Self.pixels.prefix(40 * 32 * 32 * 3))
        for activation in [ModelActivation.linkedReLU, .linkedSwish] {
            var weights: [[Float]] = []
            for threads in [1, 2, 3, 7, 16, 64] {
                try Runtime.withThreadCount(threads) {
                    let network = try Network(
                        DepthNetwork(ModelOptions(activation: activation), depth: 6), input: [32, 32, 3], batch: 40,
                        seed: 3)
                    #expect(network.microBatchSize == 16)
                    let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.125))
                    for _ in 0..<2 { try trainer.step(pixels: pixels, labels: labels) }
                    weights.append(Array(network.parameters))
                }
            }
            #expect(weights.allSatisfy { $0 == weights[0] }, "\(activation)")
        }
    }

    /// Evaluation takes as many micro-batches at once, and counts and adds in the order of the samples.
    @Test func evaluationDependsOnNoNumberOfThreads() throws {
        let dataset = try ImageDataset(
            name: "noise", imageShape: [96, 96, 1], classNames: (0..<5).map(String.init),
            pixels: (0..<43 * 96 * 96).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) },
            labels: (0..<43).map { Int32($0 % 5) })
        var results: [EvaluationResult] = []
        for threads in [1, 2, 3, 7] {
            try Runtime.withThreadCount(threads) {
                results.append(try Trainer(try Self.network(batch: 32), optimizer: SGD()).evaluate(dataset))
            }
        }
        #expect(results.allSatisfy { $0 == results[0] } && results[0].result.sampleCount == 43)
        try Runtime.withThreadCount(3) {
            let network = try Self.network(batch: 32)
            let images = try Tensor(shape: [30, 96, 96, 1], elements: Array(Self.pixels.prefix(30 * 96 * 96)))
            let all = try network.predict(images)
            for sample in [0, 7, 8, 29] {
                let one = try Tensor(
                    shape: [1, 96, 96, 1], elements: Array(images.elements[sample * 96 * 96..<(sample + 1) * 96 * 96]))
                #expect(try network.predict(one).elements == Array(all.elements[sample * 5..<(sample + 1) * 5]))
            }
        }
    }

    /// A loss that isn't a number is found in any micro-batch, and leaves no trace.
    @Test func aBadSampleOfALaterPassIsNamed() throws {
        let network = try Self.network(batch: 32)
        let weights = Array(network.parameters)
        var pixels = Self.pixels
        pixels[31 * 96 * 96] = .nan
        let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.125))
        #expect(throws: TrainingError.nonFinite(layer: "input", cause: .output, step: 1, epoch: 1)) {
            try trainer.step(pixels: pixels, labels: (0..<32).map { Int32($0 % 5) })
        }
        #expect(Array(network.parameters) == weights)
    }

    /// A batch that isn't a multiple of the micro-batch has a last micro-batch of less weight.
    @Test func aPartialBatchIsTheMeanOfItsSamples() throws {
        let labels = (0..<30).map { Int32($0 % 5) }
        let large = try Self.network(batch: 32)
        _ = try Trainer(large, optimizer: SGD()).step(
            pixels: Array(Self.pixels.prefix(30 * 96 * 96)), labels: labels)
        let small = try Self.network(batch: 1)
        var expected = [Double](repeating: 0, count: small.parameterGradients.count)
        for sample in 0..<30 {
            _ = try Trainer(small, optimizer: SGD(learningRate: 1e-30)).step(
                pixels: Array(Self.pixels[sample * 96 * 96..<(sample + 1) * 96 * 96]), labels: [labels[sample]])
            for index in expected.indices { expected[index] += Double(small.parameterGradients[index]) / 30 }
        }
        #expect(relativeDistance(large.parameterGradients, expected) < 1e-5)
    }

    /// |found − expected| / |expected| of vectors; infinite for an expected length of 0.
    private func relativeDistance(_ found: some Sequence<Float>, _ expected: [Double]) -> Double {
        let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let error = zip(expected, found).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
        return length > 1e-3 ? error.squareRoot() / length : .infinity
    }

    /// BatchNorm and dropout are not samplewise, and small networks need no micro-batches.
    @Test func whatIsTakenWhole() throws {
        func microBatchSize(_ model: some Layer, batch: Int) throws -> Int {
            try Network(model, input: [32, 32, 3], batch: batch).microBatchSize
        }
        #expect(try microBatchSize(ResNet50(ModelOptions(batchNorm: true)), batch: 128) == 128)
        #expect(try microBatchSize(AllCNN(), batch: 32) == 32)
        #expect(try microBatchSize(ExtendedNetwork(), batch: 32) == 32)
        #expect(try microBatchSize(ResNet50(), batch: 128) < 32)
        #expect(try microBatchSize(ResNet50(), batch: 8) == 8)
    }

    /// If a network is mostly chains, a micro-batch is one group of a chain.
    @Test func chainsAreTakenByGroups() throws {
        func microBatchSize(_ model: some Layer, batch: Int, input: Shape = [32, 32, 3]) throws -> Int {
            try Network(model, input: input, batch: batch).microBatchSize
        }
        #expect(try microBatchSize(DepthNetwork(), batch: 32) == 16)
        #expect(try microBatchSize(DepthNetwork(), batch: 17) == 16)
        #expect(try microBatchSize(DepthNetwork(), batch: 16) == 16)
        #expect(try microBatchSize(DepthNetwork(), batch: 7) == 7)
        #expect(try microBatchSize(DepthNetwork(ModelOptions(batchNorm: true)), batch: 32) == 32)
        #expect(
            try microBatchSize(DepthNetwork(depth: 3), batch: 32, input: [8, 8, 3]) == 32,
            "its dense layer weighs more than the images")
        #expect(try microBatchSize(DepthNetwork(ModelOptions(convolution: .direct)), batch: 32) == 32)
    }

    @Test func theSummaryNamesThePasses() throws {
        #expect(try Self.network(batch: 32).summary.description.contains("batch size 32 in micro-batches of 8\n"))
        #expect(try Self.network(batch: 8).summary.description.contains("batch size 8\n"))
    }
}
