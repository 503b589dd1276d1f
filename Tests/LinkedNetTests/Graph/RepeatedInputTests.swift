import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Operations that read one tensor at several inputs, or one parameter several times. Each gradient has memory of its
/// own, so any order of writing is correct.
@Suite struct RepeatedInputTests {
    private func expectGradients(seed: UInt64, @LayerBuilder _ layers: () throws -> [any Layer]) throws {
        let all = try layers()
        var check = try GradientCheck(all, input: [6, 5, 3], batch: 3, seed: seed)
        try check.run()
        try check.expectSame(
            as: GradientCheck(all, input: [6, 5, 3], batch: 3, seed: seed, fusion: .nothing))
    }

    /// The ways in which the terms of a sum become one tensor for the operation that computes the sum.
    enum Terms: CaseIterable {
        case normalizedBody, normalizedProjection, normalizedBesideActivation, convolvedBody, convolvedBesideActivation
        case twice

        func residual() -> Residual {
            switch self {
            case .normalizedBody: Residual { BatchNorm() }
            case .normalizedProjection:
                Residual {
                } projection: {
                    BatchNorm()
                }
            case .normalizedBesideActivation:
                Residual {
                    BatchNorm()
                } projection: {
                    Activation(.swish)
                }
            case .convolvedBody: Residual { Conv2D(4, kernel: 1) }
            case .convolvedBesideActivation:
                Residual {
                    Conv2D(4, kernel: 1)
                } projection: {
                    Activation(.relu)
                }
            case .twice: Residual {}
            }
        }
    }

    @Test(arguments: Terms.allCases)
    func sumsOfOneTensor(terms: Terms) throws {
        try expectGradients(seed: 51) {
            Conv2D(4, kernel: 3, padding: .same)
            terms.residual()
            Flatten()
            Dense(3)
        }
    }

    /// A sum before another reader, which writes its gradient first.
    @Test(arguments: Terms.allCases)
    func sumsOfOneTensorBesideOtherReaders(terms: Terms) throws {
        try expectGradients(seed: 52) {
            Conv2D(4, kernel: 3, padding: .same)
            Concat {
                terms.residual()
                Conv2D(2, kernel: 3, padding: .same)
                Sequential {}
                Sequential {}
            }
            Flatten()
            Dense(3)
        }
    }

    /// The operation reads all gradients that it adds to before it writes a gradient, and writes the last gradient
    /// first. Its factor is one parameter, which is read once for each input.
    @Test(
        arguments: [
            [.body, .body], [.body, .input, .body, .input], [.sum, .body, .input], [.body, .sum, .sum, .sum],
        ] as [[Reread.Source]])
    func anOperationOfAUsersOwn(sources: [Reread.Source]) throws {
        try expectGradients(seed: 53) {
            Conv2D(4, kernel: 3, padding: .same)
            Reread([Conv2D(4, kernel: 1), BatchNorm()], sources: sources)
            Flatten()
            Dense(3)
        }
    }

    /// A further part of a gradient has memory of its own only where one step writes two parts. The built-in operations
    /// write one part a step.
    @Test func othersHaveNoBuffersOfTheirOwn() throws {
        func shares(@LayerBuilder _ layers: () throws -> [any Layer]) throws -> Int {
            let all = try layers()
            return shares(of: try Network(Sequential { all }, input: [6, 5, 3], batch: 3))
        }
        func shares(of network: Network) -> Int {
            let buffers = network.plan.steps.flatMap(\.operands).map(\.buffer)
            return Set(buffers).count { if case .share = $0 { true } else { false } }
        }
        #expect(
            try shares {
                Conv2D(4, kernel: 3, padding: .same)
                Residual { Conv2D(4, kernel: 3, padding: .same) }
                Residual { BatchNorm() }
                Flatten()
                Dense(3)
            } == 0)
        #expect(
            try shares {
                Conv2D(4, kernel: 3, padding: .same)
                Reread([Conv2D(4, kernel: 1)], sources: [.body, .input, .body])
                Flatten()
                Dense(3)
            } == 3, "the body's second part, and two of the factor's")
        for name in [ModelName.allCNN, .depth, .width(8), .extended, .resNet50] {
            let network = try Network(name.model(ModelOptions()), input: [32, 32, 3], batch: 2)
            #expect(shares(of: network) == 0, "\(name)")
        }
    }
}
