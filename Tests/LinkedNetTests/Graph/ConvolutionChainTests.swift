import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Convolutions that are computed together: the choice of convolutions, and results that differ by rounding only.
@Suite struct ConvolutionChainTests {
    private static let batch = 20

    private func network(
        batch: Int = batch, input: Shape = [12, 10, 3], @LayerBuilder _ layers: () throws -> [any Layer]
    ) throws -> Network {
        let list = try layers()
        return try Network(Sequential { list }, input: input, batch: batch, seed: 5)
    }

    private func algorithms(_ network: Network) -> [String?] { network.operations.map(\.algorithm) }

    @LayerBuilder
    private func convolutions(
        _ activation: ModelActivation, _ filters: [Int], stride: Int = 1, algorithm: ConvolutionAlgorithm = .automatic
    ) throws -> [any Layer] {
        for (index, count) in filters.enumerated() {
            Conv2D(count, kernel: 3, stride: index == 0 ? stride : 1, padding: .same, algorithm: algorithm)
            try activation.layer()
        }
    }

    // MARK: Chains that are found

    @Test func theDepthNetwork() throws {
        let network = try Network(DepthNetwork(), input: [32, 32, 3], batch: 32)
        #expect(algorithms(network) == Array(repeating: "chain of 51", count: 51) + [nil])
        #expect(network.operations[1].name == "conv2d_1" && network.operations[1].outputShape == [16, 16, 4])
        #expect(network.summary.description.contains("chain of 51"))
        #expect(network.operations.reduce(0) { $0 + $1.parameterCount } == network.parameterLayout.elementCount)
        let alone = try Network(
            DepthNetwork(ModelOptions(convolution: .direct)), input: [32, 32, 3], batch: 32)
        #expect(algorithms(alone) == Array(repeating: "direct", count: 51) + [nil])
        #expect(network.operations.map(\.name) == alone.operations.map(\.name))
        #expect(network.weightInfos == alone.weightInfos)
    }

    /// The convolutions in chains by their names.
    private func found(_ network: Network) -> [String: String] {
        let pairs = network.operations.compactMap { operation in operation.algorithm.map { (operation.name, $0) } }
        return Dictionary(uniqueKeysWithValues: pairs.filter { $0.1.hasPrefix("chain") })
    }

    @Test func runsEndWhereSomethingElseReads() throws {
        let network = try network {
            try convolutions(.linkedReLU, [4, 5, 3])
            MaxPool2D(2)
            try convolutions(.relu, [4, 4])
            BatchNorm()
            try convolutions(.linkedSwish, [3])
            try convolutions(.prelu, [40])
            Conv2D(3, kernel: 1)
            Conv2D(3, kernel: 3, stride: 2)
            Conv2D(3, kernel: 1)
        }
        #expect(
            found(network) == [
                "conv2d": "chain of 3", "conv2d_1": "chain of 3", "conv2d_2": "chain of 3",
                "conv2d_3": "chain of 2", "conv2d_4": "chain of 2",
            ], "the others have too many channels around, or a stride")
    }

    @Test func branchesAndSharedSlopes() throws {
        let network = try network {
            try convolutions(.linkedPReLU, [4])
            try Concat {
                try Sequential { try convolutions(.relu, [3, 3]) }
                Conv2D(2, kernel: 1)
            }
            try Residual {
                try Sequential { try convolutions(.linkedReLU, [4, 5]) }
                Conv2D(5, kernel: 1)
            }
        }
        #expect(
            found(network) == ["residual/conv2d": "chain of 2", "residual/conv2d_1": "chain of 2"],
            "the 1×1 convolution takes the sum")
    }

    /// The first convolution's output is a term of the sum, too.
    @Test(arguments: [false, true])
    func runsEndWhereAShortcutBegins(isActivated: Bool) throws {
        let layers: [any Layer] = Sequential {
            Conv2D(4, kernel: 3, padding: .same)
            if isActivated { Activation(.swish) }
            Residual {
                Conv2D(3, kernel: 3, padding: .same)
                Conv2D(4, kernel: 3, padding: .same)
            }
            Flatten()
            Dense(3)
        }.layers
        #expect(
            found(try network(batch: 16) { layers }) == [
                "residual/conv2d": "chain of 2", "residual/conv2d_1": "chain of 2",
            ])
        var check = try GradientCheck(layers, input: [8, 8, 3], batch: 16, seed: 8)
        try check.run(.quick)
    }

    @Test func aStrideNeedsAnInputWithoutGradient() throws {
        let first = try network { try convolutions(.linkedReLU, [4, 4], stride: 2) }
        #expect(found(first) == ["conv2d": "chain of 2", "conv2d_1": "chain of 2"])
        let second = try network {
            BatchNorm()
            try convolutions(.linkedReLU, [4, 4, 4], stride: 2)
        }
        #expect(found(second) == ["conv2d_1": "chain of 2", "conv2d_2": "chain of 2"])
        let slopes = try network {
            Activation(.prelu())
            try convolutions(.linkedReLU, [4, 4, 4], stride: 2)
        }
        #expect(found(slopes) == ["conv2d_1": "chain of 2", "conv2d_2": "chain of 2"])
    }

    @Test func fewImagesLargeOnesAndForcedAlgorithmsAreLeftAlone() throws {
        #expect(found(try network(batch: 7) { try convolutions(.relu, [4, 4]) }).isEmpty)
        #expect(found(try network(batch: 8) { try convolutions(.relu, [4, 4]) }).count == 2)
        #expect(found(try network(batch: 8, input: [90, 90, 3]) { try convolutions(.relu, [4, 4]) }).isEmpty)
        #expect(found(try network { try convolutions(.relu, [4, 4], algorithm: .direct) }).isEmpty)
        #expect(found(try network { try convolutions(.relu, [4, 4], algorithm: .winograd) }).isEmpty)
    }

    // MARK: Results of chains

    /// With and without chains, outputs of all layers have the same bits, and gradients differ by rounding only.
    @Test(arguments: ModelActivation.allCases, [batch, 16, 5, 1])
    func chainsChangeOnlyRounding(activation: ModelActivation, count: Int) throws {
        func network(_ algorithm: ConvolutionAlgorithm) throws -> Network {
            let shortcut = Conv2D(4, kernel: 1, algorithm: algorithm)
            return try self.network {
                try convolutions(activation, [4, 3, 5], stride: 2, algorithm: algorithm)
                Dropout(0.25)
                try convolutions(activation, [3, 4], algorithm: algorithm)
                Residual {
                    shortcut
                } projection: {
                    shortcut
                }
                Flatten()
                Dense(6)
            }
        }
        let (grouped, single) = (try network(.automatic), try network(.direct))
        #expect(found(grouped).count == 5)
        for network in [grouped, single] { network.disturbParameters() }
        let (a, b) = (try InspectedPass(grouped, count: count), try InspectedPass(single, count: count))
        #expect(a.output == b.output)
        #expect(a.inspected.count == grouped.operations.count && a.inspected == b.inspected)
        for (index, info) in grouped.parameterLayout.entries.enumerated() {
            let range = grouped.parameterLayout.range(of: index)
            let scale = b.gradients[range].reduce(Float(1e-6)) { max($0, abs($1)) }
            for (x, y) in zip(a.gradients[range], b.gradients[range]) {
                #expect(abs(x - y) <= 1e-5 * scale, "\(info.name)")
            }
        }
    }

    /// Against the reference in double.
    @Test(arguments: ModelActivation.allCases)
    func gradients(activation: ModelActivation) throws {
        var check = try GradientCheck(
            DepthNetwork(ModelOptions(activation: activation), depth: 4).layers(), input: [8, 8, 3], batch: 9, seed: 7)
        #expect(check.network.operations.count { $0.algorithm == "chain of 4" } == 4)
        try check.run(.quick)
    }

    /// An infinity is traced to its layer.
    @Test func aLayerWithinAChainIsNamed() throws {
        let network = try network {
            try convolutions(.linkedReLU, [4, 4, 4])
            Flatten()
            Dense(10)
        }
        try expectNonFiniteKernelIsFound(in: "conv2d_1", of: network, batch: 8)
    }
}
