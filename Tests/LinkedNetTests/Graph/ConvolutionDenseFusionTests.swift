import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// A convolution and the dense layer after it, computed as one node: the choice of layers, and results that differ by
/// rounding only.
@Suite struct ConvolutionDenseFusionTests {
    private static let fused = "fused with dense"

    private func network(
        batch: Int = 20, input: Shape = [9, 8, 3], @LayerBuilder _ layers: () throws -> [any Layer]
    ) throws -> Network {
        let list = try layers()
        return try Network(Sequential { list }, input: input, batch: batch, seed: 5)
    }

    /// The algorithms of a network of one convolution and one dense layer.
    private func algorithms(
        batch: Int = 20, input: Shape = [9, 8, 3], filters: Int = 20, kernel: Int = 3, stride: Int = 1, units: Int = 10,
        activation: ModelActivation? = .linkedReLU, algorithm: ConvolutionAlgorithm = .automatic
    ) throws -> [String?] {
        try network(batch: batch, input: input) {
            Conv2D(filters, kernel: kernel, stride: stride, algorithm: algorithm)
            if let activation { try activation.layer() }
            Flatten()
            Dense(units)
        }.operations.map(\.algorithm)
    }

    // MARK: Fusions that are found

    @Test func theWidthNetwork() throws {
        let network = try Network(WidthNetwork(units: 50), input: [32, 32, 3], batch: 32)
        #expect(network.operations.map(\.algorithm) == [Self.fused, nil])
        #expect(network.operations.map(\.name) == ["conv2d", "dense"])
        #expect(network.operations[0].outputShape[0] == 30 && network.operations[1].outputShape == [10])
        #expect(network.summary.description.contains(Self.fused))
        #expect(network.operations.reduce(0) { $0 + $1.parameterCount } == network.parameterLayout.elementCount)
        let apart = try Network(
            WidthNetwork(ModelOptions(convolution: .direct), units: 50), input: [32, 32, 3], batch: 32)
        #expect(apart.operations.map(\.algorithm) == ["direct", nil])
        #expect(network.operations.map(\.name) == apart.operations.map(\.name))
        #expect(network.weightInfos == apart.weightInfos)
        #expect(Array(network.parameters) == Array(apart.parameters))
        // Neither the convolution's output nor its gradient is in memory.
        let between = network.operations[0].outputBytes
        #expect(
            apart.memory.arenaBytes >= 2 * between && network.memory.arenaBytes + network.memory.scratchBytes < between)
    }

    @Test func shapesThatGainAreFusedAndOthersAreNot() throws {
        #expect(try algorithms() == [Self.fused, nil])
        #expect(try algorithms(input: [12, 12, 3], stride: 2) == [Self.fused, nil])
        #expect(try algorithms(kernel: 4) == [Self.fused, nil])
        #expect(try algorithms(activation: nil) == [Self.fused, nil])
        #expect(try algorithms(units: 16) == [Self.fused, nil])
        #expect(try algorithms(units: 17) == ["direct", nil])
        #expect(try algorithms(filters: 15).first != Self.fused)
        #expect(try algorithms(batch: 12).first == Self.fused)
        #expect(try algorithms(batch: 11).first != Self.fused)
        #expect(try algorithms(kernel: 5).first != Self.fused, "too many terms a sum")
        #expect(try algorithms(input: [5, 5, 3]).first != Self.fused, "too few pixels")
        #expect(try algorithms(algorithm: .direct) == ["direct", nil])
        #expect(try algorithms(algorithm: .winograd) == ["winograd, winograd 5×5 back", nil])
        #expect(try algorithms(activation: .prelu).first != Self.fused, "slopes are learned")
    }

    @Test func othersThatReadOrNeedTheTensorPrevent() throws {
        func first(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> [String?] {
            try network(layers).operations.map(\.algorithm)
        }
        let isFused: ([String?]) -> Bool = { $0.contains(Self.fused) }
        #expect(
            try isFused(
                first {
                    Conv2D(20, kernel: 3); Activation(.relu); Flatten(); Dense(10); Activation(.relu); Dense(10)
                }))
        #expect(
            try !isFused(
                first {
                    BatchNorm(); Conv2D(20, kernel: 3); Activation(.relu); Flatten(); Dense(10)
                }),
            "the input's gradient is wanted")
        #expect(
            try !isFused(
                first {
                    Conv2D(20, kernel: 3); Activation(.relu); Dropout(0.5); Flatten(); Dense(10)
                }))
        #expect(
            try !isFused(
                first {
                    Conv2D(20, kernel: 3); Activation(.relu); MaxPool2D(2); Flatten(); Dense(10)
                }))
        #expect(
            try !isFused(
                first {
                    Conv2D(20, kernel: 3)
                    Activation(.relu)
                    Flatten()
                    Concat {
                        Dense(10)
                        Dense(5)
                    }
                }), "two layers read it")
        #expect(
            try !isFused(
                first {
                    Activation(.relu); Conv2D(20, kernel: 3); Activation(.relu); Flatten(); Dense(10)
                }),
            "the convolution forms an activation")
    }

    /// A flat vector's members lie one after the other, not pixel by pixel.
    @Test func membersOfAFlatVectorPrevent() throws {
        let linked = try network {
            Conv2D(20, kernel: 3)
            Flatten()
            try ModelActivation.linkedReLU.layer()
            Dense(10)
        }
        #expect(!linked.operations.map(\.algorithm).contains(Self.fused))
        let plain = try network {
            Conv2D(20, kernel: 3)
            Flatten()
            Activation(.relu)
            Dense(10)
        }
        #expect(plain.operations.map(\.algorithm).contains(Self.fused))
    }

    // MARK: Results of fusions

    /// With and without fusion, outputs of the convolution have the same bits, and all other results differ by rounding
    /// only.
    @Test(
        arguments: ModelActivation.allCases.filter { $0 != .prelu && $0 != .linkedPReLU },
        [(20, true), (13, true), (1, true), (20, false)])
    func fusionChangesOnlyRounding(activation: ModelActivation, _ variant: (count: Int, usesBias: Bool)) throws {
        func network(_ algorithm: ConvolutionAlgorithm) throws -> Network {
            try self.network {
                Conv2D(21, kernel: 3, stride: 2, padding: .same, usesBias: variant.usesBias, algorithm: algorithm)
                try activation.layer()
                Flatten()
                Dense(7, usesBias: variant.usesBias)
                Activation(.swish)
                Dense(4)
            }
        }
        let (fused, apart) = (try network(.automatic), try network(.direct))
        #expect(fused.operations[0].algorithm == Self.fused && apart.operations[0].algorithm == "direct")
        for network in [fused, apart] { network.disturbParameters() }
        let (a, b) = (try InspectedPass(fused, count: variant.count), try InspectedPass(apart, count: variant.count))
        func expectClose(_ x: some Collection<Float>, _ y: some Collection<Float>, _ what: String) {
            let scale = y.reduce(Float(1e-6)) { max($0, abs($1)) }
            #expect(x.count == y.count && zip(x, y).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(what)")
        }
        expectClose(a.output, b.output, "output")
        #expect(a.inspected.count == fused.operations.count && a.inspected[0] == b.inspected[0])
        for (index, info) in fused.parameterLayout.entries.enumerated() {
            let range = fused.parameterLayout.range(of: index)
            expectClose(a.gradients[range], b.gradients[range], info.name)
        }
    }

    /// Losses of a training whose last batch is smaller.
    @Test(arguments: [ModelActivation.relu, .linkedReLU, .linkedSwish])
    func trainsAsTheLayersApart(activation: ModelActivation) throws {
        func losses(_ algorithm: ConvolutionAlgorithm) throws -> [Float] {
            let network = try Network(
                WidthNetwork(ModelOptions(activation: activation, convolution: algorithm), units: 20),
                input: [9, 9, 3], batch: 16,
                seed: 3)
            #expect((network.operations[0].algorithm == Self.fused) == (algorithm == .automatic))
            let trainer = try Trainer(network, optimizer: try SGD(learningRate: 0.02))
            var random = CounterRandom(seed: 6, use: RandomUse(rawValue: 2006))
            return try [16, 16, 16, 16, 9].map { count in
                let pixels = (0..<count * network.inputShape.elementCount).map { _ in Float(random.normal()) }
                let labels = (0..<count).map { Int32($0 % 10) }
                return Float(try trainer.step(pixels: pixels, labels: labels).lossSum)
            }
        }
        let (fused, apart) = (try losses(.automatic), try losses(.direct))
        #expect(zip(fused, apart).allSatisfy { abs($0 - $1) <= 1e-4 * abs($1) }, "\(fused), \(apart)")
    }

    /// An infinity is traced to its layer.
    @Test func theLayerIsNamed() throws {
        let network = try network {
            Conv2D(20, kernel: 3)
            Activation(.relu)
            Flatten()
            Dense(10)
        }
        #expect(network.operations[0].algorithm == Self.fused)
        try expectNonFiniteKernelIsFound(in: "conv2d", of: network, batch: 20)
    }
}
