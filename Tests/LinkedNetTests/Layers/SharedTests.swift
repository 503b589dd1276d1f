import Testing

@testable import LinkedNet

/// Layers whose uses have one set of parameters. Generated networks have shared layers, too.
@Suite struct SharedTests {
    private func expectGradients(
        seed: UInt64, batch: Int = 3, @LayerBuilder _ layers: () throws -> [any Layer]
    ) throws {
        let all = try layers()
        var check = try GradientCheck(all, input: [6, 5, 3], batch: batch, seed: seed)
        try check.run()
        try check.expectSame(
            as: GradientCheck(all, input: [6, 5, 3], batch: batch, seed: seed, fusion: .nothing))
    }

    private func network(
        input: Shape = [6, 5, 3], batch: Int = 4, @LayerBuilder _ layers: () throws -> [any Layer]
    ) throws -> Network {
        let all = try layers()
        return try Network(Sequential { all }, input: input, batch: batch, seed: 3)
    }

    // MARK: One set of parameters

    @Test func parametersAndStatesStandThereOnce() throws {
        let block = Shared(
            Sequential {
                Conv2D(4, kernel: 3, padding: .same)
                BatchNorm()
                LinkedActivation(.mirrored(.prelu(.perChannel)))
                Conv2D(4, kernel: 1)
            })
        let network = try network {
            Conv2D(4, kernel: 1)
            block
            Residual { block }
            block
            Flatten()
            Dense(3)
        }
        #expect(
            network.weightInfos.map(\.name) == [
                "conv2d/kernel", "conv2d/bias", "shared/conv2d/kernel", "shared/conv2d/bias",
                "shared/batch_norm/gamma", "shared/batch_norm/beta", "shared/linked_activation/slopes",
                "shared/conv2d_1/kernel", "shared/conv2d_1/bias", "dense/kernel", "dense/bias",
                "shared/batch_norm/moving_mean", "shared/batch_norm/moving_variance",
            ])
        #expect(network.operations.count { $0.label.hasPrefix("BatchNorm") } == 3)
        let counted = network.weightInfos.filter(\.isTrainable).reduce(0) { $0 + $1.shape.elementCount }
        #expect(network.summary.parameterCount == counted)
        #expect(network.parameterLayers.count == 6)
    }

    /// The same layer twice without `Shared`, and two `Shared` values, are two layers.
    @Test func othersAreLayersOfTheirOwn() throws {
        let layer = Conv2D(3, kernel: 1)
        let names = try network {
            layer
            layer
            Shared(layer)
            Shared(layer)
            Shared(layer, name: "mine")
            Flatten()
        }.weightInfos.map(\.name).filter { $0.hasSuffix("kernel") }
        #expect(
            names == [
                "conv2d/kernel", "conv2d_1/kernel", "shared/conv2d/kernel", "shared_1/conv2d/kernel",
                "mine/conv2d/kernel",
            ])
    }

    /// Other uses of a shared layer change no name, even of a shared layer within.
    @Test func sharedLayersWithinSharedLayers() throws {
        let inner = Shared(Conv2D(3, kernel: 1), name: "inner")
        let outer = Shared(
            Sequential {
                inner
                Conv2D(3, kernel: 1, name: "inner")
                inner
                Conv2D(3, kernel: 3, padding: .same)
            })
        func names(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> [String] {
            try network(layers).weightInfos.map(\.name).filter { $0.hasSuffix("kernel") }
        }
        let once = try names {
            outer
            Flatten()
        }
        #expect(
            once == ["shared/inner/conv2d/kernel", "shared/inner_1/kernel", "shared/conv2d/kernel"])
        #expect(
            try names {
                outer
                inner
                outer
                Flatten()
            } == once)
        let block = Shared(
            Sequential {
                inner
                Conv2D(3, kernel: 1)
                Activation(.swish)
                inner
            })
        try expectGradients(seed: 61) {
            block
            inner
            Residual { block }
            Flatten()
            Dense(3)
        }
    }

    /// The summed gradient of all uses moves the only parameter. A network with two equal layers that move together
    /// gives the same result.
    @Test func gradientsOfAllUsesAreAdded() throws {
        let shared = Shared(Conv2D(3, kernel: 3, padding: .same))
        let one = try network {
            shared
            Activation(.swish)
            shared
            Flatten()
        }
        let two = try network {
            Conv2D(3, kernel: 3, padding: .same)
            Activation(.swish)
            Conv2D(3, kernel: 3, padding: .same)
            Flatten()
        }
        for name in ["kernel", "bias"] {
            let weight = try one.weight(named: "shared/conv2d/\(name)")
            for layer in ["conv2d", "conv2d_1"] { try two.setWeight(named: "\(layer)/\(name)", to: weight) }
        }
        let (shares, expected) = (try InspectedPass(one, count: 4), try InspectedPass(two, count: 4))
        #expect(shares.output == expected.output)
        for name in ["kernel", "bias"] {
            let parts = try ["conv2d", "conv2d_1"].map { try two.gradient(named: "\($0)/\(name)") }
            let sum = try Tensor(
                shape: parts[0].shape, elements: zip(parts[0].elements, parts[1].elements).map { $0 + $1 })
            expectClose(try one.gradient(named: "shared/conv2d/\(name)").elements, sum, name)
        }
    }

    /// Each use, in turn, moves the running statistics.
    @Test func runningStatisticsAreShared() throws {
        let norm = Shared(BatchNorm(momentum: 0.5))
        let network = try network {
            norm
            norm
            Flatten()
        }
        _ = try InspectedPass(network, count: 4)
        // The second use gets a mean of 0 and a variance of 1, except for epsilon.
        let variance = try network.weight(named: "shared/batch_norm/moving_variance").elements
        let first = variance.map { ($0 - 0.5) / 0.5 }
        #expect(first.allSatisfy { $0 > 0.5 && $0 < 2 })
        let mean = try network.weight(named: "shared/batch_norm/moving_mean").elements
        #expect(mean.contains { abs($0) > 1e-4 } && mean.allSatisfy { abs($0) < 0.2 })
    }

    // MARK: Gradients

    @Test(arguments: [3, 16])
    func gradientsInBranchesAndSums(batch: Int) throws {
        let convolution = Shared(Conv2D(4, kernel: 3, padding: .same))
        let pointwise = Shared(Conv2D(4, kernel: 1))
        let norm = Shared(
            Sequential {
                BatchNorm()
                Activation(.prelu(.perChannel))
            })
        try expectGradients(seed: 62, batch: batch) {
            Conv2D(4, kernel: 1)
            convolution
            Activation(.swish)
            convolution
            Residual {
                pointwise
                norm
            } projection: {
                pointwise
            }
            norm
            Residual { pointwise }
            Concat {
                norm
                pointwise
                convolution
            }
            Flatten()
            Dense(3)
        }
    }

    @Test(arguments: [SlopeSharing.perChannel, .perPosition])
    func gradientsOfSharedSlopes(sharing: SlopeSharing) throws {
        let activation = Shared(LinkedActivation(.mirrored(.prelu(sharing))))
        try expectGradients(seed: 63) {
            Conv2D(3, kernel: 1)
            activation
            Conv2D(3, kernel: 3, padding: .same)
            activation
            Concat {
                Conv2D(2, kernel: 1)
                MaxPool2D(3, stride: 1, padding: .same)
            }
            Flatten()
            Dense(3)
        }
    }

    /// Chains and other fusions take no shared parameters.
    @Test func sharedConvolutionsAreComputedByThemselves() throws {
        let convolution = Shared(Conv2D(4, kernel: 3, padding: .same))
        let network = try network(input: [12, 10, 3], batch: 16) {
            Conv2D(4, kernel: 3, padding: .same)
            convolution
            convolution
            Flatten()
            Dense(3)
        }
        #expect(network.operations.allSatisfy { $0.algorithm?.hasPrefix("chain") != true })
    }

    // MARK: Errors

    @Test func anInputThatNeedsOtherShapesIsRefused() throws {
        let shared = Shared(Conv2D(4, kernel: 3, padding: .same))
        let error = try #require(throws: ShapeError.self) {
            try network {
                shared
                shared
                Flatten()
            }
        }
        #expect(error.subject == "shared/conv2d/kernel")
        #expect(error.expected.contains("3×3×3×4") && error.found.contains("3×3×4×4"))
    }

    /// A layer whose parameters depend on its input.
    @Test func aUseWithOtherParametersIsRefused() throws {
        struct Adapting: Layer {
            func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
                input.shape[-1] == 4 ? input : try graph.apply(Conv2D(4, kernel: 1), to: input)
            }
        }
        let shared = Shared(Adapting())
        #expect(throws: ShapeError.self) {
            try network(input: [6, 5, 4]) {
                shared
                Conv2D(3, kernel: 1)
                shared
                Flatten()
            }
        }
        // The first use may have more parameters than other uses.
        #expect(
            try network {
                shared
                shared
                Flatten()
            }.outputShape == [120])
    }
}
