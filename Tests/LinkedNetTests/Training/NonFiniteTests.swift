import Foundation
import LinkedNet
import Synchronization
import Testing

/// A finite loss with gradients that are not finite.
private struct BrokenGradient: Loss {
    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        for index in gradient.indices { gradient[index] = index == 0 ? .nan : 0 }
        return LossResult(lossSum: 1, correctCount: 0, sampleCount: labels.count)
    }
}

/// A loss that isn't a number, for any outputs.
private struct BrokenLoss: Loss {
    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        LossResult(lossSum: .nan, correctCount: 0, sampleCount: labels.count)
    }
}

/// A finite loss whose gradients in one step are not numbers.
private final class LateBrokenGradient: Loss {
    private let brokenCall: Int
    private let value: Float
    private let calls = Mutex(0)

    /// - Parameters:
    ///   - brokenCall: the number of the call that breaks, counted from 1. Calls without a gradient don't count.
    ///   - value: the gradient of this call.
    init(brokenCall: Int, value: Float) { (self.brokenCall, self.value) = (brokenCall, value) }

    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        let result = SoftmaxCrossEntropy().evaluate(
            output: output, labels: labels, classes: classes, gradient: &gradient)
        guard !gradient.isEmpty else { return result }
        let call = calls.withLock { calls in
            calls += 1
            return calls
        }
        if call == brokenCall { gradient[0] = value }
        return result
    }
}

@Suite struct NonFiniteTests {
    private let labels: [Int32] = [0, 1, 2, 0]
    private let pixels = (0..<144).map { Float($0 % 7) / 7 }

    /// The error of a third step after `damage`. Nothing except the damage may have changed.
    private func failure(
        loss: any Loss = SoftmaxCrossEntropy(), clip: Double? = nil, pixels broken: [Float]? = nil,
        _ damage: (Network) throws -> Void = { _ in }
    ) throws -> TrainingError {
        let network = try TinyTraining.network()
        let healthy = try Trainer(network, optimizer: SGD())
        for _ in 0..<2 { try healthy.step(pixels: pixels, labels: labels) }
        try damage(network)
        let trainer = try Trainer(network, optimizer: SGD(), loss: loss, gradientClipNorm: clip)
        let before = network.digest
        let error = try #require(throws: TrainingError.self) {
            try trainer.step(pixels: broken ?? pixels, labels: labels)
        }
        #expect(network.digest == before)
        #expect(trainer.position == TrainingPosition())
        return error
    }

    @Test(arguments: [Float.nan, .infinity]) func aParameterIsNamed(value: Float) throws {
        let error = try failure { network in
            var kernel = try network.weight(named: "dense/kernel")
            kernel.withUnsafeMutableElements { $0[5] = value }
            try network.setWeight(named: "dense/kernel", to: kernel)
        }
        #expect(error == .nonFinite(layer: "dense", cause: .parameter(name: "dense/kernel"), step: 1, epoch: 1))
    }

    /// BatchNorm's statistics must not keep a trace of a refused batch.
    @Test func anInputIsNamed() throws {
        var broken = pixels
        broken[100] = .nan
        #expect(try failure(pixels: broken) == .nonFinite(layer: "input", cause: .output, step: 1, epoch: 1))
    }

    @Test func anOutputIsNamed() throws {
        let error = try failure { network in
            var kernel = try network.weight(named: "conv2d/kernel")
            kernel.withUnsafeMutableElements { $0.update(repeating: 3e38) }
            try network.setWeight(named: "conv2d/kernel", to: kernel)
        }
        #expect(error == .nonFinite(layer: "conv2d", cause: .output, step: 1, epoch: 1))
    }

    @Test func aLossIsNamed() throws {
        #expect(try failure(loss: BrokenLoss()) == .nonFinite(layer: "loss", cause: .output, step: 1, epoch: 1))
    }

    @Test func aGradientIsNamedWhenClipping() throws {
        let error = try failure(loss: BrokenGradient(), clip: 1)
        guard case .nonFinite("dense", .gradient(let name), 1, 1) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(name.hasPrefix("dense/"))
    }

    @Test func theStepAndEpochAreThoseOfTheRun() throws {
        let network = try TinyTraining.network()
        let trainer = try Trainer(network, optimizer: SGD())
        try trainer.fit(TinyTraining.dataset(21), epochs: 1)
        var bias = try network.weight(named: "dense/bias")
        bias.withUnsafeMutableElements { $0[0] = .nan }
        try network.setWeight(named: "dense/bias", to: bias)
        #expect(
            throws: TrainingError.nonFinite(layer: "dense", cause: .parameter(name: "dense/bias"), step: 4, epoch: 2)
        ) {
            try trainer.fit(TinyTraining.dataset(21), epochs: 2)
        }
    }

    /// No loss follows the last step's update and shows bad weights: at the end of the last epoch, with and without a
    /// test, and at a limit of steps in the middle of an epoch. Epochs have three steps.
    @Test(arguments: [Float.nan, .infinity], [6, 5])
    func aGradientOfTheLastStepIsFound(value: Float, step: Int) throws {
        for tests in [true, false] {
            let recorder = Recorder()
            let trainer = try Trainer(
                TinyTraining.network(), optimizer: SGD(learningRate: 0.01),
                loss: LateBrokenGradient(brokenCall: step, value: value), observers: [recorder])
            let error = try #require(throws: TrainingError.self) {
                try trainer.fit(
                    TinyTraining.dataset(21), test: tests ? TinyTraining.dataset(9) : nil, epochs: 2, maxSteps: step)
            }
            guard case .nonFinite(let layer, .parameter(let name), step, 2) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(name.hasPrefix(layer + "/"))
            // An epoch whose weights are lost has no result.
            #expect(recorder.epochs.map(\.epoch) == [0])
            #expect(recorder.ends == [])
            #expect(trainer.position.step == step)
        }
    }

    /// A ReLU makes 0 of minus infinity, so the epoch's only loss doesn't show the infinity.
    @Test func weightsThatNoLossShowsAreFoundAfterTheEpoch() throws {
        let model = Sequential {
            Flatten()
            Dense(4)
            Activation(.relu)
            Dense(3)
        }
        let network = try Network(model, input: [6, 6, 1], batch: 8, seed: 3)
        var bias = try network.weight(named: "dense/bias")
        bias.withUnsafeMutableElements { $0[0] = -.infinity }
        try network.setWeight(named: "dense/bias", to: bias)
        let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.01))
        #expect(
            throws: TrainingError.nonFinite(layer: "dense", cause: .parameter(name: "dense/bias"), step: 1, epoch: 1)
        ) { try trainer.fit(TinyTraining.dataset(8), epochs: 2) }
    }

    /// A user's own loop can request the check.
    @Test func aLoopOfStepsCanCheckItsWeights() throws {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), loss: BrokenGradient())
        try trainer.checkWeights()
        try trainer.step(pixels: pixels, labels: labels)
        let error = #expect(throws: TrainingError.self) { try trainer.checkWeights() }
        guard case .nonFinite(_, .parameter, 1, 1) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// Between two epochs, the position is in the next epoch, but the last step was in the epoch before.
    @Test func weightsBetweenEpochsAreOfTheEpochBefore() throws {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        try trainer.fit(TinyTraining.dataset(21), epochs: 1)
        trainer.network.forEachWeight { info, elements in if info.name == "dense/bias" { elements[0] = .nan } }
        #expect(
            throws: TrainingError.nonFinite(layer: "dense", cause: .parameter(name: "dense/bias"), step: 3, epoch: 1)
        ) { try trainer.checkWeights() }
    }

    @Test func weightsThatAreNoNumbersDoNotReplaceGoodOnes() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/weights"
        let network = try TinyTraining.network()
        try network.saveWeights(to: path)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        network.states[1] = .nan
        let name = try #require(network.stateLayout.entries.first?.name)
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "finite weights (allowsNonFinite: true writes any)",
                found: "NaN or infinite values in \(name)")
        ) { try network.saveWeights(to: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
        try network.saveWeights(to: path, allowsNonFinite: true)
        #expect(try SafetensorsFile(path).tensor(named: name).elements[1].isNaN)
    }

    @Test func theMessageSaysWhereAndWhen() {
        #expect(
            TrainingError.nonFinite(layer: "conv2d_3", cause: .output, step: 41, epoch: 2).description
                == "training stopped at step 41, epoch 2: layer conv2d_3: its output has NaN or infinite values")
    }
}
