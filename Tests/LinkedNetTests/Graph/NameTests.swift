import Testing

@testable import LinkedNet

/// The names of parameters and states.
@Suite struct NameTests {
    private func layers(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> [String] {
        let all = try layers()
        let network = try Network(Sequential { all }, input: [6, 5, 3], batch: 2)
        #expect(Set(network.weightInfos.map(\.name)).count == network.weightInfos.count)
        return network.parameterLayers
    }

    private func convolution(_ name: String? = nil) -> Conv2D { Conv2D(3, kernel: 1, name: name) }

    @Test func unnamedLayersAreNumbered() throws {
        #expect(
            try layers {
                convolution()
                convolution()
                convolution("stem")
                convolution()
            } == ["conv2d", "conv2d_1", "stem", "conv2d_2"])
    }

    /// The names are free in any order of declaration.
    @Test func unnamedLayersGetNamesThatAreFree() throws {
        #expect(
            try layers {
                convolution("conv2d_1")
                convolution()
                convolution()
            } == ["conv2d_1", "conv2d", "conv2d_2"])
        #expect(
            try layers {
                convolution()
                convolution("conv2d_1")
                convolution()
            } == ["conv2d", "conv2d_1", "conv2d_2"])
        #expect(
            try layers {
                convolution()
                convolution()
                convolution()
                convolution("conv2d_2")
                convolution("conv2d_1")
            } == ["conv2d", "conv2d_3", "conv2d_4", "conv2d_2", "conv2d_1"])
    }

    /// Repeated given names are numbered, too.
    @Test func namesThatAreGivenTwice() throws {
        #expect(
            try layers {
                convolution("a")
                convolution("a")
                convolution("a_1")
                convolution("a_1")
            } == ["a", "a_2", "a_1", "a_1_1"])
        #expect(
            try layers {
                convolution()
                convolution("conv2d")
                convolution()
            } == ["conv2d", "conv2d_1", "conv2d_2"])
    }

    @Test func branchesAndLayersOfOnesOwn() throws {
        struct Block: Layer {
            func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
                try graph.scope("part") {
                    let first = try graph.apply(Conv2D(3, kernel: 1, name: "conv2d_1"), to: input)
                    return try graph.apply(
                        Conv2D(3, kernel: 1), to: graph.apply(Conv2D(3, kernel: 1), to: first))
                }
            }
        }
        #expect(
            try layers {
                Residual { convolution() }
                Residual { convolution() }
                Residual(name: "residual_1") {
                    convolution()
                } projection: {
                    Sequential {
                        convolution("conv2d_1")
                        convolution()
                        convolution()
                    }
                }
                Block()
            } == [
                "residual/conv2d", "residual_2/conv2d", "residual_1/conv2d", "residual_1/projection/conv2d_1",
                "residual_1/projection/conv2d", "residual_1/projection/conv2d_2", "block/part/conv2d_1",
                "block/part/conv2d", "block/part/conv2d_2",
            ])
    }

    /// Names that already differ stay the same, because checkpoints have these names.
    @Test func namesThatDifferAlreadyStay() throws {
        #expect(
            try layers {
                convolution()
                Activation(.swish, name: "conv2d_1")
                convolution()
                Residual { convolution() }
                Residual(name: "residual_1") { convolution() }
                Residual { BatchNorm() }
            } == ["conv2d", "conv2d_1", "residual/conv2d", "residual_1/conv2d", "residual_1/batch_norm"])
    }

    /// Operations and errors have the names of the parameters.
    @Test func operationsHaveTheNamesOfTheirParameters() throws {
        let network = try Network(
            Sequential {
                convolution()
                convolution()
                convolution("conv2d_1")
            }, input: [6, 5, 3], batch: 2)
        #expect(network.operations.map(\.name) == ["conv2d", "conv2d_2", "conv2d_1"])
    }

    /// A parameter's name that looks like a path may still clash, which is an error.
    @Test func aNameThatLooksLikeAPath() throws {
        struct Clashing: Layer {
            func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
                _ = try graph.parameter("conv2d/kernel", shape: [1]) { _, _ in }
                return try graph.apply(Conv2D(3, kernel: 1), to: input)
            }
        }
        let error = try #require(throws: ShapeError.self) { try layers { Clashing() } }
        #expect(error.subject == "clashing/conv2d" && error.found.contains("kernel twice"))
    }
}
