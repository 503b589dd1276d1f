import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Sums that the operations of their terms compute. Their gradients are compared with differences in
/// BranchGradientTests and, for ResNet50, NetworkGradientTests.
@Suite struct SumFusionTests {
    private func labels(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> [String] {
        let all = try layers()
        let network = try Network(Sequential { all }, input: [6, 6, 3], batch: 2, seed: 1)
        return network.operations.map(\.label)
    }

    private func expectGradients(seed: UInt64, @LayerBuilder _ layers: () throws -> [any Layer]) throws {
        var check = try GradientCheck(try layers(), input: [6, 5, 3], batch: 3, seed: seed)
        try check.run()
    }

    @LayerBuilder private func bottleneck(norm: Bool) throws -> [any Layer] {
        Conv2D(6, kernel: 3, padding: .same)
        Activation(.relu)
        Residual {
            Conv2D(4, kernel: 1)
            Activation(.swish)
            Conv2D(6, kernel: 1)
            if norm { BatchNorm() }
        }
        Activation(.relu)
        Flatten()
        Dense(3)
    }

    @Test func aShortcutIsAddedWhereTheBodyEnds() throws {
        let plain = try labels { try bottleneck(norm: false) }
        #expect(!plain.contains("Add") && !plain.contains { $0.hasPrefix("Activation") })
        #expect(plain.contains { $0.hasPrefix("Conv2D 1×1") && $0.hasSuffix(" + relu of shortcut") })
        let normalized = try labels { try bottleneck(norm: true) }
        #expect(!normalized.contains("Add"))
        #expect(normalized.contains("BatchNorm + relu of shortcut"))
    }

    @Test(arguments: [false, true])
    func gradientsOfABottleneck(norm: Bool) throws {
        try expectGradients(seed: 41) { try bottleneck(norm: norm) }
    }

    @Test(arguments: [false, true])
    func gradientsWithAProjection(norm: Bool) throws {
        try expectGradients(seed: 42) {
            Activation(.swish)
            Residual {
                Conv2D(4, kernel: 1, stride: 2)
                if norm { BatchNorm() }
            } projection: {
                Conv2D(4, kernel: 1, stride: 2)
                if norm { BatchNorm() }
            }
            Activation(.elu())
            Residual { Conv2D(4, kernel: 1) }
            Flatten()
            Dense(3)
        }
    }

    /// The BatchNorm reads the sum, and not the output of the convolution without the shortcut. With the body, another
    /// convolution reads the shortcut's activation, and adds the gradient that the sum gives to the activation.
    @Test(arguments: [false, true])
    func gradientsOfASumThatIsNormalized(body: Bool) throws {
        try expectGradients(seed: 44) {
            Conv2D(6, kernel: 1)
            Activation(.swish)
            Residual {
                if body {
                    Conv2D(4, kernel: 1)
                    Activation(.swish)
                }
                Conv2D(6, kernel: 1)
            }
            BatchNorm()
            Activation(.swish)
            Flatten()
            Dense(3)
        }
    }

    /// The network of the guide.
    @Test func gradientsOfANormalizedSumWithAProjection() throws {
        try expectGradients(seed: 45) {
            Conv2D(4, kernel: 3, padding: .same)
            Activation(.swish)
            Residual {
                Conv2D(6, kernel: 3, stride: 2, padding: .same)
                Activation(.swish)
                Conv2D(6, kernel: 3, padding: .same)
            } projection: {
                Conv2D(6, kernel: 1, stride: 2)
            }
            BatchNorm()
            Activation(.swish)
            Flatten()
            Dense(3)
        }
    }

    /// A convolution without a reader has no backward steps, so the convolution can't add the shortcut's gradient.
    @Test func aConvolutionThatIsNotUsedTakesNothing() throws {
        let plain = try gradients(with: Nothing())
        #expect(plain.count == 6 && plain[0].contains { $0 != 0 })
        #expect(try gradients(with: Unused()) == plain)
    }

    /// A sum that nobody reads has no gradient that a convolution could take along.
    @Test func aSumThatIsNotUsedHasNoGradient() throws {
        let plain = try gradients(with: BesideASum(adds: false))
        #expect(plain.count == 8 && plain[0].contains { $0 != 0 })
        #expect(try gradients(with: BesideASum(adds: true)) == plain)
    }

    /// The gradients of a network with `layer`, except the gradients of parameters that are called unused.
    private func gradients(with layer: some Layer) throws -> [[UInt32]] {
        let model = Sequential {
            Conv2D(6, kernel: 1)
            Activation(.swish)
            layer
            Residual { Conv2D(6, kernel: 1) }
            Flatten()
            Dense(3)
        }
        let network = try Network(model, input: [4, 4, 3], batch: 1, seed: 3)
        // Initial weights depend on the number of parameters.
        network.forEachWeight { _, elements in
            for index in elements.indices { elements[index] = Float(index * 5 % 11) / 8 - 0.5 }
        }
        let pixels = (0..<48).map { Float($0 % 7) - 3 }
        try network.forward(input: pixels.span, mode: .training(step: 0))
        network.outputGradient.update(repeating: 0.5, count: 3)
        try network.backward(input: pixels.span, step: 0)
        return try network.parameterLayout.entries.filter { !$0.name.contains("unused") }.map {
            try network.gradient(named: $0.name).elements.map(\.bitPattern)
        }
    }

    /// A sum behind the network's output doesn't replace the output.
    @Test func aSumThatIsNotUsedLeavesTheOutput() throws {
        let whole = Window2D(height: 4, width: 4, strideHeight: 1, strideWidth: 1, padding: .valid)
        func output(_ last: some Layer) throws -> [Float] {
            let model = Sequential {
                Conv2D(3, window: whole)
                last
            }
            let network = try Network(model, input: [4, 4, 3], batch: 1, seed: 3)
            return try network.predict(Tensor(shape: [1, 4, 4, 3], elements: (0..<48).map { Float($0 % 7) - 3 }))
                .elements
        }
        let plain = try output(Conv2D(3, kernel: 1))
        #expect(plain.contains { $0 != 0 })
        #expect(try output(TermOfAnUnusedSum()) == plain)
    }

    /// Two convolutions and two sums read the shortcut's activation.
    @Test func gradientsOfAnActivationOfManyReaders() throws {
        try expectGradients(seed: 43) {
            Conv2D(4, kernel: 1)
            Activation(.swish)
            Residual {
                Residual {
                    Conv2D(4, kernel: 1)
                } projection: {
                    Conv2D(4, kernel: 1)
                }
                Conv2D(4, kernel: 1)
            }
            Flatten()
            Dense(3)
        }
    }

    /// The activation of the first sum's term is removed together with the sum. The second sum then has the first sum's
    /// index.
    @Test func aSumRightBehindAFusedOneIsFused() throws {
        let found = try labels {
            Conv2D(3, kernel: 1)
            SumsInARow()
            Flatten()
            Dense(3)
        }
        #expect(found.count { $0.contains("of shortcut") || $0.contains("+ shortcut") } == 2)
        #expect(!found.contains("Add"))
    }

    /// Another operation reads the host's own term, so the sum can't take the term's place.
    @Test func aTermThatIsReadAgainIsKept() throws {
        let layers: [any Layer] = [
            Conv2D(3, kernel: 3, padding: .same), Reread([Conv2D(3, kernel: 1)], sources: [.body, .sum]), Flatten(),
            Dense(3),
        ]
        #expect(try labels { layers }.contains("Add"))
        try expectGradients(seed: 46) { layers }
    }

    /// A convolution with a stride doesn't read every element of the shortcut's activation, so the convolution can't
    /// add the gradient.
    @Test func aConvolutionWithAStrideTakesNothing() throws {
        try expectGradients(seed: 47) {
            Activation(.swish)
            Concat {
                Conv2D(2, kernel: 1, stride: 2)
                Sequential {
                    Residual { Conv2D(3, kernel: 1) }
                    AveragePool2D(2, stride: 2, padding: .same)
                }
            }
            Flatten()
            Dense(3)
        }
    }

    /// A sum has an operation of its own if its terms have other readers, or come from operations that can't add.
    @Test func otherSumsStay() throws {
        let pooled = try labels {
            Residual { MaxPool2D(3, stride: 1, padding: .same) }
            Flatten()
            Dense(3)
        }
        #expect(pooled.contains("Add"))
        let doubled = try labels {
            Conv2D(3, kernel: 1)
            Residual {}
            Flatten()
            Dense(3)
        }
        #expect(doubled.contains("Add"))
    }
}

/// b(x) + (a(x) + swish(x)), both convolutions before both sums.
private struct SumsInARow: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let terms = try (0..<2).map { _ in try graph.apply(Conv2D(3, kernel: 1), to: input) }
        let activated = try graph.apply(Activation(.swish), to: input)
        let sum = AddOperation(elementCount: input.shape.elementCount)
        let inner = try graph.add(sum, inputs: [terms[0], activated], outputShape: input.shape)
        return try graph.add(sum, inputs: [inner, terms[1]], outputShape: input.shape)
    }
}

/// a(x), beside a sum a(x) + x that the layer doesn't return.
private struct TermOfAnUnusedSum: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let term = try graph.apply(Conv2D(3, kernel: 1), to: input)
        let sum = AddOperation(elementCount: input.shape.elementCount)
        _ = try graph.add(sum, inputs: [input, term], outputShape: input.shape)
        return term
    }
}

/// A convolution that returns its output, and a convolution of the same input whose output, or sum with the input,
/// nobody reads.
private struct BesideASum: Layer {
    let adds: Bool

    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let taken = try graph.apply(Conv2D(6, kernel: 1, name: "taken"), to: input)
        let unused = try graph.apply(Conv2D(6, kernel: 1, name: "unused"), to: input)
        guard adds else { return taken }
        let sum = AddOperation(elementCount: input.shape.elementCount)
        _ = try graph.add(sum, inputs: [input, unused], outputShape: input.shape)
        return taken
    }
}

private struct Nothing: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value { input }
}

/// Computes an output that the layer doesn't return.
private struct Unused: Layer {
    func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        _ = try graph.apply(Conv2D(4, kernel: 1, name: "unused"), to: input)
        return input
    }
}
