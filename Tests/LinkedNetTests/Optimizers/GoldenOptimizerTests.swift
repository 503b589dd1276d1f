import Foundation
import LinkedNet
import Testing

/// A loss with prescribed gradients, one row for each call, for any output. Only one thread calls the loss.
private final class PrescribedGradients: Loss, @unchecked Sendable {
    private let rows: Tensor
    private var calls = 0

    init(_ rows: Tensor) { self.rows = rows }

    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        for index in gradient.indices { gradient[index] = rows.elements[calls * classes + index] }
        calls += 1
        return LossResult(lossSum: 0, correctCount: 0, sampleCount: labels.count)
    }
}

/// Twenty steps of a trainer with each optimizer and given gradients, compared with PyTorch and Keras.
@Suite struct GoldenOptimizerTests {
    private struct Setup {
        let file: Result<GoldenFile, any Error>
        let optimizer: any Optimizer
    }

    private static func setup(_ peer: String, _ name: String) throws -> Setup? {
        let plain: [String: any Optimizer] = [
            "sgd": try SGD(learningRate: 0.1),
            "sgd momentum": try SGD(learningRate: 0.1, momentum: 0.9),
            "sgd nesterov": try SGD(learningRate: 0.1, momentum: 0.9, nesterov: true),
        ]
        if peer == "PyTorch" {
            let own: [String: any Optimizer] = [
                "sgd weight decay": try SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.02),
                "sgd clipped": try SGD(learningRate: 0.1, momentum: 0.9),
                "adam": try Adam(learningRate: 0.05, epsilonPlacement: .afterBiasCorrection),
                "adam clipped": try Adam(learningRate: 0.05, epsilonPlacement: .afterBiasCorrection),
                "adam large epsilon": try Adam(
                    learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 0.1, epsilonPlacement: .afterBiasCorrection),
                "adam weight decay": try Adam(
                    learningRate: 0.05, weightDecay: 0.02, epsilonPlacement: .afterBiasCorrection),
                "rmsprop": try RMSProp(learningRate: 0.05),
                "rmsprop large epsilon": try RMSProp(learningRate: 0.05, epsilon: 0.1),
                "rmsprop weight decay": try RMSProp(learningRate: 0.05, weightDecay: 0.02),
            ]
            return (plain[name] ?? own[name]).map { Setup(file: GoldenFile.torch, optimizer: $0) }
        }
        let own: [String: any Optimizer] = [
            "sgd decay": try SGD(learningRate: 0.1, decay: 0.1),
            "sgd nesterov decay": try SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, decay: 0.1),
            "adam": try Adam(learningRate: 0.05),
            "adam large epsilon": try Adam(learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 0.1),
            "adam decay": try Adam(learningRate: 0.05, decay: 0.1),
            // Keras has √(v + ε). The values come from an ε so small that it makes no difference.
            "rmsprop": try RMSProp(learningRate: 0.05, epsilon: 0),
            "rmsprop decay": try RMSProp(learningRate: 0.05, epsilon: 0, decay: 0.1),
        ]
        return (plain[name] ?? own[name]).map { Setup(file: GoldenFile.keras, optimizer: $0) }
    }

    static let cases: [(peer: String, name: String)] = [
        ("PyTorch", GoldenFile.torch), ("Keras", GoldenFile.keras),
    ].flatMap { (peer: String, file: Result<GoldenFile, any Error>) in
        ((try? file.get().cases["optimizer"]?.paths.keys.sorted()) ?? []).map { (peer, String($0.dropFirst(5))) }
    }

    @Test func bothPeersGiveTheirPaths() {
        #expect(Self.cases.count { $0.peer == "PyTorch" } == 12)
        #expect(Self.cases.count { $0.peer == "Keras" } == 10)
    }

    @Test(arguments: cases)
    func twentyUpdates(peer: String, name: String) throws {
        let setup = try #require(try Self.setup(peer, name))
        let golden = try #require(try setup.file.get().cases["optimizer"])
        let gradients = try golden.value("gradients")
        let path = try #require(golden.paths["path|\(name)"])
        let count = gradients.shape[1]
        let network = try Network(TrainableInput(shape: [count], batch: 1), input: [1], batch: 1)
        let start = try golden.value("start")
        try network.setWeight(named: "input/value", to: Tensor(shape: [1, count], elements: start.elements))
        let trainer = try Trainer(
            network, optimizer: setup.optimizer, loss: PrescribedGradients(gradients),
            gradientClipNorm: name.hasSuffix("clipped") ? 3.5 : nil)
        for step in 0..<gradients.shape[0] {
            try trainer.step(pixels: [0], labels: [0])
            let expected = try Tensor(
                shape: [count], elements: Array(path.elements[step * count..<(step + 1) * count]))
            // Each update rounds a few times.
            expectClose(
                try network.weight(named: "input/value").elements, expected, "after update \(step)",
                roundings: 4 * Float(step + 1))
        }
    }

    /// The paths of both peers have the default ρ. Here v = ρ·v + (1 − ρ)·g² and p −= η·g/√v are computed in double.
    /// Where ρ is near 1, 1 − ρ may not be formed in single precision.
    @Test(arguments: [0.5, 0.99, 0.9999])
    func rhoIsKept(rho: Double) throws {
        var meanSquares = [0.0, 0, 0]
        try expectUpdates(RMSProp(learningRate: 0.05, rho: rho, epsilon: 0)) { _, index, gradient in
            meanSquares[index] = rho * meanSquares[index] + (1 - rho) * gradient * gradient
            return 0.05 * gradient / meanSquares[index].squareRoot()
        }
    }

    /// Adam's formula in double.
    @Test(arguments: [(0.5, 0.75), (0.999, 0.9999)])
    func betasAreKept(beta1: Double, beta2: Double) throws {
        var (means, meanSquares) = ([0.0, 0, 0], [0.0, 0, 0])
        try expectUpdates(Adam(learningRate: 0.05, beta1: beta1, beta2: beta2, epsilon: 0)) { step, index, gradient in
            means[index] = beta1 * means[index] + (1 - beta1) * gradient
            meanSquares[index] = beta2 * meanSquares[index] + (1 - beta2) * gradient * gradient
            let t = Double(step + 1)
            let (mean, meanSquare) = (means[index] / (1 - pow(beta1, t)), meanSquares[index] / (1 - pow(beta2, t)))
            return 0.05 * mean / meanSquare.squareRoot()
        }
    }

    /// Expects that each of three updates subtracts `change` of the update's number, the parameter's index and the
    /// gradient.
    private func expectUpdates(
        _ optimizer: some Optimizer, change: (_ step: Int, _ index: Int, _ gradient: Double) -> Double
    ) throws {
        let gradients = [[1.0, -2, 0.5], [3, 0.25, -0.5], [-1, 4, 2]]
        let network = try Network(TrainableInput(shape: [3], batch: 1), input: [1], batch: 1)
        try network.setWeight(named: "input/value", to: Tensor(shape: [1, 3], elements: [1, 2, 3]))
        let rows = try Tensor(shape: [3, 3], elements: gradients.joined().map(Float.init))
        let trainer = try Trainer(network, optimizer: optimizer, loss: PrescribedGradients(rows))
        var values = [1.0, 2, 3]
        for step in gradients.indices {
            try trainer.step(pixels: [0], labels: [0])
            for (index, gradient) in gradients[step].enumerated() { values[index] -= change(step, index, gradient) }
            expectClose(
                try network.weight(named: "input/value").elements,
                try Tensor(shape: [3], elements: values.map(Float.init)), "after update \(step)")
        }
    }

    @Test func settingsThatMakeNoSenseAreRefused() {
        #expect(throws: OptimizerError.self) { try SGD(learningRate: -1) }
        #expect(throws: OptimizerError.self) { try SGD(learningRate: .nan) }
        #expect(throws: OptimizerError.self) { try SGD(momentum: 1) }
        #expect(throws: OptimizerError.self) { try SGD(momentum: 0, nesterov: true) }
        #expect(throws: OptimizerError.self) { try Adam(beta1: 1) }
        #expect(throws: OptimizerError.self) { try Adam(beta2: -0.1) }
        #expect(throws: OptimizerError.self) { try Adam(epsilon: .infinity) }
        #expect(throws: OptimizerError.self) { try RMSProp(rho: 1) }
        // The beta is 1 in single precision, the precision of kernels.
        #expect(throws: OptimizerError.self) { try Adam(beta2: 0.99999999) }
        #expect(throws: OptimizerError.self) { try RMSProp(rho: 0.99999999) }
        #expect(throws: OptimizerError.self) { try RMSProp(weightDecay: 1e300) }
        #expect(throws: OptimizerError.self) { try RMSProp(decay: -1) }
        #expect { try SGD(momentum: 1.5) } throws: { "\($0)".contains("momentum") && "\($0)".contains("1.5") }
    }
}
