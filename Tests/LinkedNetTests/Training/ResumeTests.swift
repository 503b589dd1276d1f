import Foundation
import LinkedNet
import PaperNetworks
import Testing

/// A run that was interrupted, saved and resumed must have the bits of an unbroken run.
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

    /// A test of an epoch that an observer stops is repeated on resuming.
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

    /// A flipped bit in the header or in any tensor is found before the trainer changes.
    @Test func aDamagedFileIsRefused() throws {
        let saved = try trainer("adam")
        _ = try fit(saved, maxSteps: 2)
        try saved.save(to: path)
        let good = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        let end = 8 + good.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let seed = try #require(good.firstRange(of: Array("\"linkednet.seed\":\"".utf8))).upperBound
        for offset in [seed, end, end + (good.count - end) / 2, good.count - 1] {
            var damaged = good
            damaged[offset] ^= 1
            try damaged.withUnsafeBytes { try DurableFile.replace(path, contents: [$0]) }
            #expect(try refusal(trainer("adam"), path).contains("it is damaged"), "byte \(offset)")
        }
        try good.withUnsafeBytes { try DurableFile.replace(path, contents: [$0]) }
        let resumed = try trainer("adam")
        try resumed.resume(from: path)
        #expect(resumed.network.digest == saved.network.digest)
    }

    /// Only files of the first format may lack the checksum.
    @Test func aFileWithoutItsChecksumIsRefused() throws {
        let saved = try trainer("sgd")
        try saved.save(to: path)
        var metadata = try SafetensorsFile(path).metadata
        #expect(metadata.removeValue(forKey: "linkednet.checksum") != nil)
        try saved.network.saveWeights(to: path, metadata: metadata)
        #expect(try refusal(trainer("sgd"), path).contains("expected a file with a checksum"))
        metadata["linkednet.format"] = "1"
        try saved.network.saveWeights(to: path, metadata: metadata)
        try trainer("sgd").resume(from: path)
    }

    /// The counts of a file must not let sums overflow.
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
        #"{"epoch":-1,"batch":0,"step":0,"loss_sum":0,"correct_count":0,"sample_count":0,"epoch_seconds":0}"#,
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

    /// The data and settings for the rest of a saved epoch.
    private struct Rest: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var count = 64
        var batchSize: Int? = 16
        var sampler = Sampler.shuffled
        var seed: UInt64?
        var expected = ""
        var found = ""
    }

    private static let rests = [
        Rest(testDescription: "batch size", batchSize: 8, expected: "16", found: "8"),
        Rest(testDescription: "number of training images", count: 63, expected: "64", found: "63"),
        Rest(testDescription: "sampler", sampler: .fileOrder, expected: "shuffled", found: "file-order"),
        Rest(testDescription: "seed of sampler and augmentation", seed: 8, expected: "7", found: "8"),
    ]

    private func fit(_ trainer: Trainer, epochs: Int, _ rest: Rest, maxSteps: Int? = nil) throws -> TrainingResult {
        try trainer.fit(
            TinyTraining.dataset(rest.count), epochs: epochs, batchSize: rest.batchSize, sampler: rest.sampler,
            seed: rest.seed, maxSteps: maxSteps)
    }

    /// A position in an epoch holds for one batch size, one order and one number of images.
    @Test(arguments: rests)
    private func anEpochIsGoneOnWithAsItBegan(rest: Rest) throws {
        func trainer() throws -> Trainer { try Trainer(TinyTraining.network(batch: 16), optimizer: SGD()) }
        let same = Rest(testDescription: "same")
        let saved = try trainer()
        _ = try fit(saved, epochs: 2, same, maxSteps: 2)
        try saved.save(to: path)
        let resumed = try trainer()
        try resumed.resume(from: path)
        #expect(resumed.position == saved.position)
        let (position, digest) = (resumed.position, resumed.network.digest)
        let recorder = Recorder()
        resumed.observers = [recorder]
        #expect(
            throws: TrainingError.mismatch(
                subject: rest.testDescription,
                expected: "\(rest.expected), with which epoch 1 began: its first 2 batches are done", found: rest.found)
        ) { try fit(resumed, epochs: 2, rest) }
        #expect(resumed.position == position)
        #expect(resumed.network.digest == digest)
        #expect(recorder.begins == 0)
        // With the settings of the epoch's begin, each image comes once.
        #expect(try fit(resumed, epochs: 1, same).epochs.map(\.training.sampleCount) == [64])
        // Another epoch may have other settings.
        #expect(try fit(resumed, epochs: 2, rest).epochs.map(\.training.sampleCount) == [rest.count])
    }

    /// Checkpoints of older versions lack the epoch's settings, but have the number of images so far.
    @Test func anOlderFilesEpochIsCheckedByItsImages() throws {
        func trainer() throws -> Trainer {
            let trainer = try Trainer(TinyTraining.network(batch: 16), optimizer: SGD())
            try trainer.network.saveWeights(
                to: path,
                metadata: [
                    "linkednet.format": "1", "linkednet.seed": "7",
                    "linkednet.position": """
                    {"epoch":1,"batch":2,"step":6,"loss_sum":30,"correct_count":9,"sample_count":32,"epoch_seconds":1}
                    """,
                ])
            try trainer.resume(from: path)
            return trainer
        }
        let other = Rest(testDescription: "", batchSize: 8)
        #expect(
            throws: TrainingError.mismatch(
                subject: "images in the first 2 batches of the epoch",
                expected: "32, with which epoch 2 began: its first 2 batches are done", found: "16")
        ) { try fit(trainer(), epochs: 2, other) }
        #expect(try fit(trainer(), epochs: 2, Rest(testDescription: "")).epochs.map(\.training.sampleCount) == [64])
    }

    @Test(arguments: [
        #""batch_size":0,"sampler":"shuffled","image_count":1,"data_seed":1"#,
        #""batch_size":1,"sampler":"other","image_count":1,"data_seed":1"#,
        #""batch_size":1,"sampler":"shuffled","image_count":-1,"data_seed":1"#,
        #""batch_size":1,"sampler":"shuffled","image_count":1,"data_seed":-1"#, #""batch_size":1"#,
    ])
    func brokenBatchesAreRefused(members: String) throws {
        let saved = try trainer("sgd")
        let position = """
            {"epoch":0,"batch":1,"step":1,"loss_sum":1,"correct_count":1,"sample_count":1,"epoch_seconds":1,\(members)}
            """
        try saved.network.saveWeights(
            to: path,
            metadata: ["linkednet.format": "1", "linkednet.seed": "7", "linkednet.position": position])
        #expect(try refusal(trainer("sgd"), path).contains("expected a training position"))
    }

    @Test func aPositionBeyondTheEpochIsRefused() throws {
        let trainer = try trainer("sgd")
        _ = try fit(trainer, maxSteps: 3)
        #expect(
            throws: TrainingError.mismatch(
                subject: "number of training images",
                expected: "27, with which epoch 1 began: its first 3 batches are done", found: "9")
        ) { try trainer.fit(TinyTraining.dataset(9), epochs: 3) }
    }
}
