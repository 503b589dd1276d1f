import Foundation
import LinkedNet
import Testing

/// A run that was interrupted, saved and resumed must be, bit for bit, the run that wasn't.
@Suite struct ResumeTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/state.safetensors" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func trainer(_ optimizer: String, seed: UInt64 = 7) throws -> Trainer {
        let chosen: any Optimizer =
            switch optimizer {
            case "adam": try Adam(learningRate: 0.01, decay: 0.01)
            case "rmsprop": try RMSProp()
            case "momentum": try SGD(learningRate: 0.05, momentum: 0.9, nesterov: true)
            default: try SGD(learningRate: 0.05)
            }
        return try Trainer(
            TinyTraining.network(seed: seed), optimizer: chosen, schedule: .warmUp(steps: 5, then: .cosine(epochs: 4)))
    }

    private func fit(_ trainer: Trainer, maxSteps: Int? = nil) throws -> TrainingResult {
        try trainer.fit(
            TinyTraining.dataset(27), test: TinyTraining.dataset(11, seed: 3), epochs: 3, augmentation: .paper,
            maxSteps: maxSteps)
    }

    /// Epochs have four batches. 0 interrupts before the first step, 4 and 8 between epochs.
    @Test(arguments: ["sgd", "momentum", "adam", "rmsprop"], [0, 1, 4, 6, 8, 11])
    func interruptedIsUnbroken(optimizer: String, steps: Int) throws {
        let unbroken = try trainer(optimizer)
        let expected = try fit(unbroken)

        let interrupted = try trainer(optimizer)
        let before = try fit(interrupted, maxSteps: steps)
        try interrupted.save(to: path)
        let resumed = try trainer(optimizer)
        try resumed.resume(from: path)
        #expect(resumed.position == interrupted.position)
        let after = try fit(resumed)

        #expect(resumed.network.digest == unbroken.network.digest)
        #expect((before.epochs + after.epochs).map(\.training) == expected.epochs.map(\.training))
        #expect((before.epochs + after.epochs).map(\.test) == expected.epochs.map(\.test))
    }

    /// What an observer stops in the middle of an epoch's test is tested on resuming.
    @Test func anInterruptedTestIsRepeated() throws {
        let unbroken = try trainer("adam")
        let expected = try fit(unbroken)
        let interrupted = try trainer("adam")
        interrupted.observers = [Recorder(stopsInEvaluation: true)]
        let before = try fit(interrupted)
        #expect(before.end == .stopped)
        #expect(before.epochs.isEmpty)
        #expect(interrupted.position.batch == 4)
        try interrupted.save(to: path)
        let resumed = try trainer("adam")
        try resumed.resume(from: path)
        #expect(try fit(resumed).epochs.map(\.test) == expected.epochs.map(\.test))
        #expect(resumed.network.digest == unbroken.network.digest)
    }

    @Test func anObserverStopsAfterItsStep() throws {
        let trainer = try trainer("sgd")
        let recorder = Recorder(stopsAfterStep: 6)
        trainer.observers = [recorder]
        #expect(try fit(trainer).end == .stopped)
        #expect(trainer.position.step == 6)
        #expect(recorder.ends == [.stopped])
    }

    // MARK: Refusals

    /// Nothing changes when a file is refused.
    private func refusal(_ trainer: Trainer, _ path: String) throws -> String {
        let before = trainer.network.digest
        let error = try #require(throws: (any Error).self) { try trainer.resume(from: path) }
        #expect(trainer.network.digest == before)
        #expect(trainer.position == TrainingPosition())
        return "\(error)"
    }

    @Test func stateOfAnotherRunIsRefused() throws {
        let saved = try trainer("momentum")
        _ = try fit(saved, maxSteps: 2)
        try saved.save(to: path)
        #expect(try refusal(trainer("adam"), path).contains("optimizer:first_moment/conv2d/kernel"))
        #expect(try refusal(trainer("sgd"), path).contains("optimizer:velocity/conv2d/kernel"))
        #expect(try refusal(trainer("momentum", seed: 8), path).contains("expected seed 8, the network's, found 7"))
        let plain = "\(directory.path)/plain.safetensors"
        try saved.network.saveWeights(to: plain)
        #expect(try refusal(trainer("momentum"), plain).contains("a file without training state"))
        #expect(try refusal(trainer("momentum"), "\(directory.path)/none").contains("no such file"))
    }

    /// The counts of a file must not bring sums to overflow.
    @Test(arguments: ["epoch", "batch", "step", "correct_count", "sample_count"])
    func countsBeyondAnyTrainingAreRefused(name: String) throws {
        let saved = try trainer("sgd")
        for value in [Int.max, Int.max - 1, -1, .min] {
            let names = ["epoch", "batch", "step", "loss_sum", "correct_count", "sample_count", "epoch_seconds"]
            let members = names.map { "\"\($0)\":\($0 == name ? value : 0)" }
            try saved.network.saveWeights(
                to: path,
                metadata: [
                    "linkednet.format": "1", "linkednet.seed": "7",
                    "linkednet.position": "{\(members.joined(separator: ","))}",
                ])
            #expect(try refusal(trainer("sgd"), path).contains("expected a training position"))
        }
    }

    @Test func theMostStepsAreNoOverflow() throws {
        let trainer = try trainer("sgd")
        _ = try fit(trainer, maxSteps: 1)
        #expect(try fit(trainer, maxSteps: .max).end == .completed)
    }

    @Test(arguments: [
        "", "{}", "{\"epoch\":0}",
        "{\"epoch\":-1,\"batch\":0,\"step\":0,\"loss_sum\":0,\"correct_count\":0,\"sample_count\":0,\"epoch_seconds\":0}",
    ])
    func aBrokenPositionIsRefused(text: String) throws {
        let saved = try trainer("sgd")
        try saved.network.saveWeights(
            to: path,
            metadata: ["linkednet.format": "1", "linkednet.seed": "7", "linkednet.position": text])
        #expect(try refusal(trainer("sgd"), path).contains("expected a training position"))
    }

    @Test func anotherFormatIsRefused() throws {
        try trainer("sgd").network.saveWeights(to: path, metadata: ["linkednet.format": "3"])
        #expect(try refusal(trainer("sgd"), path).contains("format 3"))
    }

    @Test func aPositionBeyondTheEpochIsRefused() throws {
        let trainer = try trainer("sgd")
        _ = try fit(trainer, maxSteps: 3)
        #expect(throws: TrainingError.self) { try trainer.fit(TinyTraining.dataset(9), epochs: 3) }
    }
}
