import Foundation
import Testing

@testable import LinkedNet

/// Runs with a user's own network, optimizer, loss and data set.
@Suite struct RunTests {
    private let directory: TemporaryDirectory
    private let train: Rows
    private let test: Rows
    private var path: String { "\(directory.path)/run" }

    init() throws {
        directory = try TemporaryDirectory()
        train = Rows(base: try TinyTraining.dataset(40))
        test = Rows(base: try TinyTraining.dataset(12, seed: 2))
    }

    private func trainer(
        _ optimizer: any Optimizer = Signs(), loss: any Loss = Distance(), schedule: LearningRateSchedule = .constant,
        seed: UInt64 = 7, clip: Double? = nil
    ) throws -> Trainer {
        try Trainer(
            TinyTraining.network(seed: seed), optimizer: optimizer, loss: loss, schedule: schedule,
            gradientClipNorm: clip)
    }

    private func fit(_ run: Run, maxSteps: Int? = nil, observers: [any TrainingObserver] = []) throws {
        try run.fit(train, test: test, epochs: 4, observers: observers, maxSteps: maxSteps)
    }

    @Test(arguments: [0, 1, 4, 5, 6, 13])
    func goesOnExactlyWhereItWasSaved(step: Int) throws {
        let unbroken = try Run("\(directory.path)/unbroken", trainer())
        try fit(unbroken)
        #expect(unbroken.trainer.position.epoch == 4)
        try fit(Run(path, trainer()), maxSteps: step)
        let opened = try Run(path, trainer())
        #expect(opened.trainer.position.step == step)
        #expect(opened.savedStep == step)
        try fit(opened)
        #expect(opened.digest == unbroken.digest)
        #expect(opened.best == unbroken.best)
        let bests = try [opened, unbroken].map { try SavedRun.digest(#require($0.bestWeights)) }
        #expect(bests[0] == bests[1])
    }

    @Test func isSavedWithItsMetrics() throws {
        let run = try Run(path, trainer())
        try fit(run)
        let lines = try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.map { $0.prefix(27) } == (1...4).map { "{\"event\":\"epoch\",\"epoch\":\($0)," })
        #expect(run.metricsDamage == nil && run.damage.isEmpty)
    }

    // MARK: Settings that differ

    private struct Change: Sendable, CustomTestStringConvertible {
        let names: [String]
        let make: @Sendable (RunTests) throws -> Trainer
        var testDescription: String { names.joined(separator: ", ") }
    }

    private static let changes: [Change] = [
        Change(names: ["optimizer.rate"]) { try $0.trainer(Signs(rate: 0.01)) },
        Change(names: ["optimizer", "optimizer.rate", "optimizer.momentum"]) { try $0.trainer(SGD()) },
        Change(names: ["loss.power"]) { try $0.trainer(loss: Distance(power: 3)) },
        Change(names: ["loss"]) { try $0.trainer(loss: SoftmaxCrossEntropy()) },
        Change(names: ["schedule"]) { try $0.trainer(schedule: .cosine(epochs: 4)) },
        Change(names: ["gradientClipNorm"]) { try $0.trainer(clip: 5) },
        Change(names: ["seed"]) { try $0.trainer(seed: 8) },
        Change(names: ["network"]) { suite in
            try Trainer(
                Network(
                    Sequential {
                        Flatten(); Dense(3)
                    }, input: [6, 6, 1], batch: 8, seed: 7), optimizer: Signs(),
                loss: Distance())
        },
    ]

    @Test(arguments: changes)
    private func aTrainerThatDiffersIsRefused(change: Change) throws {
        try fit(Run(path, trainer()), maxSteps: 6)
        let given = try change.make(self)
        let before = given.network.digest
        let error = try #require(throws: RunMismatch.self) { try Run(path, given) }
        #expect(Set(error.differences.map(\.setting)).isSuperset(of: change.names))
        for name in change.names { #expect("\(error)".contains("\(name): saved ")) }
        #expect("\(error)".hasPrefix("\(path): expected the settings of the saved run"))
        #expect(given.network.digest == before && given.position == TrainingPosition())
    }

    @Test func eachDifferenceSaysWhatIsToBeDone() throws {
        try fit(Run(path, trainer()), maxSteps: 6)
        let error = try #require(throws: RunMismatch.self) { try Run(path, trainer(Signs(rate: 0.5), seed: 8)) }
        #expect(error.differences.map(\.setting) == ["optimizer.rate", "seed"])
        #expect("\(error)".contains("optimizer.rate: saved 0.125, given 0.5"))
        #expect("\(error)".contains("accepting: [\"optimizer.rate\"]"))
        #expect(error.differences.map(\.isAcceptable) == [true, false])
        #expect(error.differences[1].cure == "give what the run was begun with, or begin a run in another directory")
    }

    @Test(arguments: ["optimizer.rate", "optimizer"])
    func aDifferenceMayBeAccepted(name: String) throws {
        try fit(Run(path, trainer()), maxSteps: 6)
        let changed = try Run(path, trainer(Signs(rate: 0.5)), accepting: [name])
        try fit(changed, maxSteps: 2)
        // From now on the setting is the run's.
        #expect(try Run(path, trainer(Signs(rate: 0.5))).savedStep == 8)
        #expect(throws: RunMismatch.self) { try Run(path, trainer()) }
        // Another network or seed could not go on with the network's weights.
        #expect(throws: RunMismatch.self) { try Run(path, trainer(seed: 9), accepting: ["optimizer", "seed"]) }
    }

    @Test func imagesAndTheirOrderThatDifferAreRefused() throws {
        try fit(Run(path, trainer()), maxSteps: 5)
        func settings(_ fit: (Run) throws -> Void) throws -> [String] {
            let run = try Run(path, trainer())
            return try #require(throws: RunMismatch.self) { try fit(run) }.differences.map(\.setting)
        }
        let others = Rows(base: try TinyTraining.dataset(41))
        #expect(try settings { try $0.fit(others, test: test, epochs: 4) } == ["dataset"])
        #expect(try settings { try $0.fit(train, test: test, epochs: 4, batchSize: 7) } == ["batchSize"])
        #expect(try settings { try $0.fit(train, test: test, epochs: 4, sampler: .fileOrder) } == ["sampler"])
        #expect(try settings { try $0.fit(train, test: test, epochs: 4, seed: 3) } == ["dataSeed"])
        let flips = Augmentation(horizontalFlip: true, shift: 0)
        #expect(
            try settings { try $0.fit(train, test: test, epochs: 4, augmentation: flips) }
                == ["augmentation.horizontalFlip"])
        let smaller = try Run(path, trainer(), accepting: ["batchSize"])
        #expect(try smaller.fit(train, test: test, epochs: 2, batchSize: 7).end == .completed)
    }

    // MARK: Use of a run

    @Test func keepsWhatItTakesToUseIt() throws {
        let run = try Run(path, trainer(), metadata: ["author": "somebody"])
        try run.fit(train, test: test, epochs: 2)
        let record = try SavedRun(path).record
        #expect(record.libraryVersion == LibraryVersion.current)
        #expect(record.graphDigest == run.trainer.network.graphDigest)
        #expect(record.imageShape == [6, 6, 1] && record.classCount == 3 && record.batchSize == 8 && record.seed == 7)
        #expect(record.classNames == ["top", "middle", "bottom"] && record.dataName == "my rows")
        #expect(record.pixelScaling == PixelScaling(scale: [1 / 255], offset: [0]))
        #expect(record.metadata == ["author": "somebody"])
        #expect(record.trainerSettings["optimizer.rate"] == "0.125")
        #expect(record.dataSettings["sampler"] == "shuffled")
        #expect(record.dataFingerprint == train.fingerprint)
        #expect(try Run(path, trainer()).metadata == ["author": "somebody"])
        #expect(try Run(path, trainer(), metadata: [:]).metadata.isEmpty)
    }

    @Test func keysOfTheLibraryAreRefused() throws {
        #expect(throws: CheckpointError.self) { try Run(path, trainer(), metadata: ["linkednet.run": ""]) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func itsNetworkIsMadeAgainFromItsModel() throws {
        let run = try Run(path, trainer())
        try fit(run)
        let saved = try SavedRun(path)
        #expect(try saved.network(TinyTraining.model()).digest == run.digest)
        let best = try saved.network(TinyTraining.model(), batch: 3, best: true)
        #expect(best.batchSize == 3)
        #expect(try best.digest == SavedRun.digest(#require(run.bestWeights)))
        #expect(throws: WeightsMismatch.self) {
            try saved.network(
                Sequential {
                    Flatten(); Dense(3)
                })
        }
    }

    @Test func withoutATestTheTrainingsAccuracyCounts() throws {
        let run = try Run(path, trainer())
        let result = try run.fit(train, epochs: 3)
        #expect(run.best.metric == .accuracy)
        #expect(run.best.value == result.epochs.map(\.training.accuracy).max())
        #expect(try Run(path, trainer()).best == run.best)
        let other = try Run("\(directory.path)/other", trainer(), judgedBy: .loss)
        try other.fit(train, epochs: 3)
        #expect(other.best.metric == .loss)
    }

    // MARK: The directory

    @Test func aTrainerThatHasTrainedBeginsNoRun() throws {
        let trainer = try trainer()
        try trainer.fit(train, epochs: 1)
        #expect(throws: CheckpointError.self) { try Run(path, trainer) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func directoriesOfTheirOwn() throws {
        let base = "\(directory.path)/runs/mine"
        #expect(try Run.newDirectory(base) == "\(base)-1")
        #expect(try Run.newDirectory(base) == "\(base)-2")
        #expect(!Run.exists(in: "\(base)-2"))
        try fit(Run("\(base)-2", trainer()), maxSteps: 0)
        #expect(Run.exists(in: "\(base)-2"))
    }
}

// MARK: Types of a user's own

/// Makes a step of a fixed length, in the direction of most gradients so far.
private struct Signs: Optimizer {
    var rate = 0.125
    var momentum = 0.5
    var learningRate: Double { rate / 8 }
    var decay: Double { 0 }
    var slotNames: [String] { ["votes"] }

    func update(_ update: ParameterUpdate) {
        for index in 0..<update.count {
            let gradient = update.gradients[index] * update.gradientScale
            update.slots[0][index] = Float(momentum) * update.slots[0][index] + gradient
            let vote = update.slots[0][index]
            update.parameters[index] -= Float(update.learningRate) * (vote > 0 ? 1 : vote < 0 ? -1 : 0)
        }
    }
}

/// The distance of outputs from one for the class and zero for others, to a power.
private struct Distance: Loss {
    var power: Float = 2

    func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        var result = LossResult(sampleCount: labels.count)
        for sample in labels.indices {
            let outputs = (0..<classes).map { output[sample * classes + $0] }
            for (index, value) in outputs.enumerated() {
                let difference = value - (index == Int(labels[sample]) ? 1 : 0)
                let size = difference.magnitude
                let slope = (0..<Int(power) - 1).reduce(power) { slope, _ in slope * size }
                result.lossSum += Double(slope * size / power)
                guard !gradient.isEmpty else { continue }
                gradient[sample * classes + index] = (difference < 0 ? -slope : slope) / Float(labels.count)
            }
            if outputs.firstIndex(of: outputs.max() ?? 0) == Int(labels[sample]) { result.correctCount += 1 }
        }
        return result
    }
}

/// Images under another name, in a data set of another type.
private struct Rows: Dataset {
    let base: ImageDataset
    var name: String { "my rows" }
    var count: Int { base.count }
    var imageShape: Shape { base.imageShape }
    var classCount: Int { base.classCount }
    var classNames: [String] { base.classNames }
    var fingerprint: String { base.fingerprint }
    var pixelScaling: PixelScaling? { base.pixelScaling }

    func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws {
        try base.load(indices, augmentations: augmentations, pixels: &pixels, labels: &labels)
    }
}
