import LinkedNet
import Testing

/// A finite loss with gradients that aren't.
private struct BrokenGradient: Loss {
    func evaluate(
        output: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        gradient: UnsafeMutablePointer<Float>?
    ) -> LossResult {
        for index in 0..<count * classes { gradient?[index] = index == 0 ? .nan : 0 }
        return LossResult(lossSum: 1, correctCount: 0, sampleCount: count)
    }
}

/// A loss that isn't a number, of whatever outputs.
private struct BrokenLoss: Loss {
    func evaluate(
        output: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        gradient: UnsafeMutablePointer<Float>?
    ) -> LossResult {
        LossResult(lossSum: .nan, correctCount: 0, sampleCount: count)
    }
}

@Suite struct NonFiniteTests {
    private let labels: [Int32] = [0, 1, 2, 0]
    private let pixels = (0..<144).map { Float($0 % 7) / 7 }

    /// The error of a third step, before which `damage` was done; nothing else may have changed.
    private func failure(
        loss: any Loss = SoftmaxCrossEntropy(), clip: Double? = nil, pixels broken: [Float]? = nil,
        _ damage: (Network) throws -> Void = { _ in }
    ) throws -> TrainingError {
        let network = try TinyTraining.network()
        let healthy = try Trainer(network, optimizer: SGD())
        for _ in 0..<2 { try healthy.step(pixels: pixels, labels: labels, count: 4) }
        try damage(network)
        let trainer = try Trainer(network, optimizer: SGD(), loss: loss, gradientClipNorm: clip)
        let before = network.digest
        let error = try #require(throws: TrainingError.self) {
            try trainer.step(pixels: broken ?? pixels, labels: labels, count: 4)
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

    /// BatchNorm's statistics must not keep the trace of a batch that was refused.
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

    @Test func theMessageSaysWhereAndWhen() {
        #expect(
            TrainingError.nonFinite(layer: "conv2d_3", cause: .output, step: 41, epoch: 2).description
                == "training stopped at step 41, epoch 2: layer conv2d_3: its output has NaN or infinite values")
    }
}
