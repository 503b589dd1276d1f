import Foundation
import Testing

@testable import LinkedNet

/// A network computes for one caller at a time, and ends the process with a message at a second caller.
@Suite struct ExclusiveUseTests {
    private static let sentence = "a network computes for one caller at a time"

    private static func network() throws -> Network {
        let model = Sequential {
            Conv2D(3, kernel: 1)
            Flatten()
            Dense(3)
        }
        return try Network(model, input: [4, 4, 2], batch: 2, seed: 1)
    }

    /// Runs `body` on another thread, and waits for its end.
    private static func elsewhere(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            body()
            done.signal()
        }
        done.wait()
    }

    private struct Unchecked<Value>: @unchecked Sendable {
        let value: Value
    }

    private static func forward(_ network: Network) {
        let pixels = Array(repeating: Float(0.5), count: 32)
        try? network.forward(input: pixels.span, mode: .inference)
    }

    private static func backward(_ network: Network) {
        let pixels = Array(repeating: Float(0.5), count: 32)
        try? network.backward(input: pixels.span, step: 0)
    }

    private static func expectSentence(_ result: ExitTest.Result?) {
        let error = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(error.contains(sentence), "\(error)")
    }

    @Test func twoForwardPasses() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let network = try ExclusiveUseTests.network()
            let shared = Unchecked(value: network)
            let pixels = Array(repeating: Float(0.5), count: 32)
            try network.forward(input: pixels.span, mode: .inference) { _, _ in
                ExclusiveUseTests.elsewhere { ExclusiveUseTests.forward(shared.value) }
            }
        }
        Self.expectSentence(result)
    }

    @Test func aBackwardPassInAForwardPass() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let network = try ExclusiveUseTests.network()
            let shared = Unchecked(value: network)
            let pixels = Array(repeating: Float(0.5), count: 32)
            try network.forward(input: pixels.span, mode: .inference) { _, _ in
                ExclusiveUseTests.elsewhere { ExclusiveUseTests.backward(shared.value) }
            }
        }
        Self.expectSentence(result)
    }

    /// A loss that lets another caller run in the middle of the step.
    private struct Interrupted: Loss {
        let interruption: @Sendable () -> Void

        func evaluate(
            output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
        ) -> LossResult {
            interruption()
            return SoftmaxCrossEntropy().evaluate(
                output: output, labels: labels, classes: classes, gradient: &gradient)
        }
    }

    private static func step(_ trainer: Trainer) throws {
        try trainer.step(pixels: Array(repeating: 0.5, count: 64), labels: [0, 2])
    }

    @Test func aPredictionInATrainingStep() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let network = try ExclusiveUseTests.network()
            let shared = Unchecked(value: network)
            let loss = Interrupted {
                ExclusiveUseTests.elsewhere { _ = try? shared.value.predict(Tensor(shape: [1, 4, 4, 2])) }
            }
            try ExclusiveUseTests.step(Trainer(network, optimizer: SGD(), loss: loss))
        }
        Self.expectSentence(result)
    }

    @Test func aTrainingStepInAnEvaluation() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let network = try ExclusiveUseTests.network()
            let other = Unchecked(value: try Trainer(network, optimizer: SGD()))
            let loss = Interrupted { ExclusiveUseTests.elsewhere { try? ExclusiveUseTests.step(other.value) } }
            let trainer = try Trainer(network, optimizer: SGD(), loss: loss)
            let images = try ImageDataset(
                name: "grey", imageShape: [4, 4, 2], classNames: ["a", "b", "c"],
                pixels: Array(repeating: 7, count: 64), labels: [0, 1])
            _ = try trainer.evaluate(images)
        }
        Self.expectSentence(result)
    }

    /// Callers may take turns, also after errors, and may use networks of their own.
    @Test func turnsAreFine() throws {
        let network = try Self.network()
        let trainer = try Trainer(network, optimizer: SGD())
        let (shared, step) = (Unchecked(value: network), Unchecked(value: trainer))
        for _ in 0..<3 {
            try Self.step(trainer)
            Self.elsewhere { Self.forward(shared.value) }
            Self.elsewhere { try? Self.step(step.value) }
            let none: [Float] = []
            #expect(throws: ShapeError.self) { try network.backward(input: none.span, step: 0) }
            #expect(throws: ShapeError.self) { try network.predict(Tensor(shape: [1, 4])) }
        }
        let infinite = Array(repeating: Float.infinity, count: 64)
        for _ in 0..<2 {
            #expect(throws: TrainingError.self) { try trainer.step(pixels: infinite, labels: [0, 1]) }
        }
        let other = Unchecked(value: try Self.network())
        let pixels = Array(repeating: Float(0.5), count: 32)
        var looks = 0
        try network.forward(input: pixels.span, mode: .inference) { _, _ in
            looks += 1
            Self.elsewhere { Self.forward(other.value) }
        }
        #expect(looks == network.operations.count)
    }
}
