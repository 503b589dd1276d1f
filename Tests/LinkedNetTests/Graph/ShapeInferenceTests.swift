import LinkedNet
import Testing

@Suite struct ShapeInferenceTests {
    private func shape(_ input: Shape, @LayerBuilder _ layers: () throws -> [any Layer]) throws -> Shape {
        try Network(Sequential(layers), input: input, batch: 1).outputShape
    }

    @Test func shapesAreInferred() throws {
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3) } == [5, 4, 4])
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3, stride: 2) } == [3, 2, 4])
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3, stride: 2, padding: .same) } == [4, 3, 4])
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 7, stride: 3, padding: .same) } == [3, 2, 4])
        #expect(try shape([6, 7, 3]) { Conv2D(4, kernel: 3, stride: 2, padding: .same) } == [3, 4, 4])
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3, stride: 2, padding: .sameLower) } == [4, 3, 4])
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3, stride: 2, padding: .explicit(1)) } == [4, 3, 4])
        let uneven = Padding.explicit(top: 2, left: 0, bottom: 1, right: 1)
        #expect(try shape([7, 6, 3]) { Conv2D(4, kernel: 3, padding: uneven) } == [8, 5, 4])
        #expect(try shape([1, 2, 3]) { Conv2D(4, kernel: 3, padding: .explicit(1)) } == [1, 2, 4])
        #expect(try shape([7, 6, 3]) { MaxPool2D(3, stride: 2, padding: .explicit(1)) } == [4, 3, 3])
        #expect(try shape([7, 6, 3]) { MaxPool2D(2) } == [3, 3, 3])
        #expect(try shape([7, 6, 3]) { AveragePool2D(2, padding: .same) } == [4, 3, 3])
        #expect(try shape([7, 6, 3]) { GlobalAveragePool2D() } == [3])
        #expect(try shape([7, 6, 3]) { LinkedActivation(.minMax) } == [7, 6, 6])
        #expect(
            try shape([7, 6, 3]) {
                LinkedActivation(.mirrored(.relu))
                Flatten()
                Dense(5)
            } == [5])
        #expect(
            try shape([7, 6, 3]) {
                Concat {
                    Conv2D(4, kernel: 1)
                    MaxPool2D(3, stride: 1, padding: .same)
                }
            } == [7, 6, 7])
    }

    @Test func linkedChannelsReachTheKernel() throws {
        let model = Sequential {
            Conv2D(8, kernel: 3)
            LinkedActivation(.mirrored(.relu))
            Conv2D(4, kernel: 3)
            LinkedActivation(.mirrored(.prelu()))
            Flatten()
            Dense(2)
        }
        let network = try Network(model, input: [7, 6, 3], batch: 1)
        #expect(try network.weight(named: "conv2d_1/kernel").shape == [3, 3, 16, 4])
        #expect(try network.weight(named: "linked_activation_1/slopes").shape == [2, 3, 2, 4])
        #expect(try network.weight(named: "dense/kernel").shape == [48, 2])
        #expect(network.operations.map(\.name) == ["conv2d", "conv2d_1", "dense"], "linked tensors are not stored")
    }

    /// Models that don't fit, and the words of their errors.
    static let misfits: [(layers: [any Layer], words: [String])] = [
        ([Flatten(), Conv2D(4, kernel: 3, name: "stem")], ["stem", "[height, width, channels]", "126"]),
        ([Dense(4, name: "head")], ["head", "Flatten()", "7×6×3"]),
        ([Flatten(), MaxPool2D(2, name: "pool")], ["pool", "[height, width, channels]"]),
        ([Flatten(), AveragePool2D(2, name: "pool")], ["pool", "[height, width, channels]"]),
        ([Flatten(), GlobalAveragePool2D(name: "pool")], ["pool", "[height, width, channels]"]),
        ([Conv2D(4, kernel: 7, name: "wide")], ["wide", "7×7", "7×6"]),
        ([MaxPool2D(8, name: "pool")], ["pool", "8×8"]),
        ([Conv2D(4, kernel: 3, padding: .explicit(3), name: "far")], ["far", "3×3", "padding 3"]),
        (
            [Conv2D(4, kernel: 3, padding: .explicit(top: 0, left: 0, bottom: 0, right: -1), name: "cut")],
            ["cut", "from 0", "0,0,0,-1"]
        ),
        (
            [Conv2D(4, kernel: 9, padding: .explicit(top: 0, left: 0, bottom: 1, right: 1), name: "wide")],
            ["wide", "8×8", "7×6"]
        ),
        ([Conv2D(0, kernel: 3, name: "none")], ["none", "filter"]),
        ([Conv2D(4, kernel: 0, name: "none")], ["none", "window"]),
        ([Conv2D(4, kernel: 3, stride: 0, name: "stuck")], ["stuck", "strides"]),
        ([Flatten(), Dense(0, name: "none")], ["none", "unit"]),
        ([Dropout(1, name: "drop")], ["drop", "rate", "1.0"]),
        ([Dropout(-0.1, name: "drop")], ["drop", "rate"]),
        ([BatchNorm(momentum: 1.5, name: "norm")], ["norm", "momentum"]),
        ([BatchNorm(epsilon: .nan, name: "norm")], ["norm", "epsilon"]),
        ([Residual(name: "block") { Conv2D(4, kernel: 3, padding: .same) }], ["block", "7×6×3", "7×6×4"]),
        (
            [
                Residual(name: "block") {
                    Conv2D(4, kernel: 1)
                } projection: {
                    Conv2D(4, kernel: 1, stride: 2)
                }
            ], ["block", "4×3×4", "7×6×4"]
        ),
        (
            [
                Concat(name: "mix") {
                    Conv2D(4, kernel: 1)
                    MaxPool2D(2)
                }
            ], ["mix", "7×6×4", "3×3×3"]
        ),
        ([Concat(name: "mix") {}], ["mix", "branch"]),
        ([], ["at least one layer"]),
        ([Flatten()], ["at least one layer"]),
    ]

    @Test(arguments: misfits.indices)
    func errorsNameTheLayer(index: Int) throws {
        let (layers, words) = Self.misfits[index]
        let model = Sequential { layers }
        let error = try #require(throws: ShapeError.self) { try Network(model, input: [7, 6, 3], batch: 1) }
        for word in words { #expect(error.description.contains(word), "\(error)") }
    }

    @Test func nestedLayersAreNamedByTheirPath() throws {
        let model = Sequential {
            Residual(name: "block") {
                Conv2D(3, kernel: 3, padding: .same)
                Residual { Conv2D(3, kernel: 9, name: "tall") }
            }
        }
        let error = try #require(throws: ShapeError.self) { try Network(model, input: [7, 6, 3], batch: 1) }
        #expect(error.subject == "block/residual/tall")
    }

    @Test(arguments: [0, -1, Int.max])
    func batchesThatMakeNoSense(batch: Int) {
        #expect(throws: ShapeError.self) { try Network(Dense(2), input: [3], batch: batch) }
    }

    @Test(arguments: [[0], [-3], [3, 0, 2], [Int.max, 2]])
    func inputsThatMakeNoSense(dimensions: [Int]) {
        #expect(throws: ShapeError.self) { try Network(Flatten(), input: Shape(dimensions), batch: 1) }
    }
}
