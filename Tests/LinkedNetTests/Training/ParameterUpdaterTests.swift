import LinkedNet
import Testing

/// The moments and the parameters of an optimizer's calls.
@Suite struct ParameterUpdaterTests {
    /// SGD that records the number of elements of each call, and the start of slots and gradients.
    private struct NotingSGD: Optimizer {
        final class Notes: @unchecked Sendable {
            typealias Call = (
                start: UnsafePointer<Float>, count: Int, gradients: UnsafePointer<Float>, slot: UnsafePointer<Float>
            )
            var calls: [Call] = []
        }
        let sgd: SGD
        let notes = Notes()
        let isElementwise: Bool
        var learningRate: Double { sgd.learningRate }
        var decay: Double { sgd.decay }
        var slotNames: [String] { sgd.slotNames }

        func update(_ parameters: ParameterUpdate) {
            func start(_ view: MutableElementView) -> UnsafePointer<Float> {
                view.withUnsafeMutableBufferPointer { UnsafePointer($0.baseAddress!) }
            }
            notes.calls.append(
                (
                    start(parameters.parameters), parameters.count,
                    parameters.gradients.withUnsafeBufferPointer { $0.baseAddress! }, start(parameters.slots[0])
                ))
            sgd.update(parameters)
        }
    }

    private static let batch = 3

    /// Two layers of more than a mebibyte each, with small layers around them.
    private func network() throws -> Network {
        let model = Sequential {
            Dense(512)
            Activation(.swish)
            Dense(600)
            LinkedActivation(.mirrored(.prelu(.perChannel)))
            Dense(320)
            Activation(.relu)
            Dense(4)
        }
        return try Network(model, input: [20], batch: Self.batch, seed: 5)
    }

    /// The weights after three steps, and the last step's calls.
    private func train(isElementwise: Bool, clipNorm: Double? = nil) throws -> (
        weights: [Float], notes: NotingSGD.Notes, network: Network
    ) {
        let network = try network()
        let optimizer = NotingSGD(
            sgd: try SGD(learningRate: 0.0625, momentum: 0.5), isElementwise: isElementwise)
        let trainer = try Trainer(network, optimizer: optimizer, gradientClipNorm: clipNorm)
        let pixels = (0..<Self.batch * 20).map { Float($0 % 7) / 8 - 0.25 }
        for _ in 0..<3 {
            optimizer.notes.calls = []
            try trainer.step(pixels: pixels, labels: [0, 3, 1])
        }
        return (Array(network.parameters), optimizer.notes, network)
    }

    @Test func largeStretchesComeAloneAndEachElementOnce() throws {
        let (weights, notes, network) = try train(isElementwise: true)
        #expect(notes.calls.count == 3)
        // The calls go from the end to the beginning without a gap, and all arrays have the same place.
        var end = network.parameterLayout.count
        for call in notes.calls {
            let start = call.start - UnsafePointer(network.parameters.baseAddress!)
            #expect(start + call.count == end && call.count > 0)
            #expect(call.gradients - UnsafePointer(network.parameterGradients.baseAddress!) == start)
            #expect(call.slot - start == notes.calls.last!.slot)
            end = start
        }
        #expect(end == 0)
        // The first call has the parameters of the last two layers, because the last layer alone is too small.
        let names = network.parameterLayout.entries.indices.filter {
            network.parameterLayout.offsets[$0] >= network.parameterLayout.count - notes.calls[0].count
        }.map { network.parameterLayout.entries[$0].name }
        #expect(names.contains("dense_2/kernel") && !names.contains("dense_1/kernel"))
        #expect(try weights == train(isElementwise: false).weights)
    }

    @Test func othersComeAtOnce() throws {
        let whole = try train(isElementwise: false)
        #expect(whole.notes.calls.map(\.count) == [whole.network.parameterLayout.count])
        // Clipping scales all gradients by a norm that is known only after the backward pass.
        let clipped = try train(isElementwise: true, clipNorm: 1e6)
        #expect(clipped.notes.calls.map(\.count) == [clipped.network.parameterLayout.count])
        #expect(clipped.weights == whole.weights)
    }

    @Test func theSuiteOptimizersTreatElementsAlone() throws {
        let optimizers: [any Optimizer] = [try SGD(), try Adam(), try RMSProp()]
        for optimizer in optimizers { #expect(optimizer.isElementwise) }
    }
}
