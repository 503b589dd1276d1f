import Foundation
import Testing

@testable import LinkedNet

/// What a resumed run takes over, refuses and saves besides weights.
@Suite struct ResumedSettingsTests {
    private let directory: TemporaryDirectory
    private let train: ImageDataset
    private let test: ImageDataset
    private var path: String { "\(directory.path)/run" }

    init() throws {
        directory = try TemporaryDirectory()
        train = try TinyTraining.dataset(24)
        test = try TinyTraining.dataset(12, seed: 2)
    }

    private func trainer(_ optimizer: any Optimizer, batch: Int = 8) throws -> Trainer {
        try Trainer(TinyTraining.network(batch: batch), optimizer: optimizer)
    }

    /// The weights of an optimizer's slots belong to the optimizer, so no accepted name helps.
    @Test func anOptimizerOfOtherSlotsIsRefusedForGood() throws {
        try Run(path, trainer(Adam())).fit(train, test: test, epochs: 1)
        let error = try #require(throws: RunMismatch.self) {
            try Run(path, trainer(SGD()), accepting: ["optimizer", "slots"])
        }
        #expect(error.differences.map(\.setting) == ["slots"])
        #expect(error.differences.allSatisfy { !$0.isAcceptable })
        #expect(throws: RunMismatch.self) { try Run(path, trainer(SGD(momentum: 0.9)), accepting: ["optimizer"]) }
        _ = try Run(path, trainer(Adam(learningRate: 0.5)), accepting: ["optimizer"])
    }

    @Test func otherTestImagesAreRefused() throws {
        try Run(path, trainer(SGD())).fit(train, test: test, epochs: 1)
        let others = try TinyTraining.dataset(12, seed: 3)
        let error = try #require(throws: RunMismatch.self) {
            try Run(path, trainer(SGD())).fit(train, test: others, epochs: 2)
        }
        #expect(error.differences.map(\.setting) == ["testDataset"])
        // Without a test the run goes on, and still knows its test images.
        try Run(path, trainer(SGD()), judgedBy: .loss).fit(train, epochs: 2)
        #expect(throws: RunMismatch.self) { try Run(path, trainer(SGD())).fit(train, test: others, epochs: 3) }
        let accepting = try Run(path, trainer(SGD()), accepting: ["testDataset"])
        #expect(try accepting.fit(train, test: others, epochs: 3).epochs.count == 1)
    }

    @Test func argumentsThatTrainingRefusesLeaveNoTrace() throws {
        let run = try Run(path, trainer(SGD()))
        #expect(throws: TrainingError.self) { try run.fit(train, test: test, epochs: 2, batchSize: 64) }
        let metric = run.best.metric
        #expect(throws: TrainingError.self) { try run.fit(train, epochs: 2, batchSize: 64) }
        #expect(run.best.metric == metric)
        #expect(try run.fit(train, test: test, epochs: 2).epochs.count == 2)
    }

    /// Settings that were accepted, and texts, are on the disk before the first step.
    @Test func newSettingsAreSavedFirst() throws {
        try Run(path, trainer(SGD())).fit(train, test: test, epochs: 2)
        let changed = try Run(
            path, trainer(SGD(learningRate: 0.5)), metadata: ["note": "faster"], accepting: ["optimizer"])
        try changed.fit(train, test: test, epochs: 9, maxSteps: 0)
        let record = try SavedRun(path).record
        #expect(record.trainerSettings["optimizer.learningRate"] == "0.5" && record.metadata == ["note": "faster"])
        // A finished run takes a text, too.
        let finished = try Run(path, trainer(SGD(learningRate: 0.5)), metadata: ["note": "done"])
        try finished.fit(train, test: test, epochs: 2)
        #expect(try SavedRun(path).record.metadata == ["note": "done"])
        // Nothing new is nothing to save.
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        try Run(path, trainer(SGD(learningRate: 0.5))).fit(train, test: test, epochs: 2)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: path)) == Set(names))
    }

    /// The weights of one network mean nothing in a network that computes otherwise.
    @Test func aNetworkThatComputesOtherwiseIsRefused() throws {
        func model(_ momentum: Float) -> Sequential {
            Sequential {
                Conv2D(4, kernel: 3, padding: .same); BatchNorm(momentum: momentum); Flatten(); Dense(3)
            }
        }
        func trainer(_ momentum: Float) throws -> Trainer {
            try Trainer(Network(model(momentum), input: [6, 6, 1], batch: 8, seed: 1), optimizer: SGD())
        }
        try Run(path, trainer(0.9)).fit(train, test: test, epochs: 1)
        let error = try #require(throws: RunMismatch.self) { try Run(path, trainer(0.99)) }
        #expect(error.differences.map(\.setting) == ["network"])
        let saved = try SavedRun(path)
        #expect(throws: RunMismatch.self) { try saved.network(model(0.99)) }
        _ = try saved.network(model(0.9))
    }

    // MARK: Observers

    private func stopping() -> EarlyStopping { EarlyStopping(BestScore(.loss), patience: 2, minimumGain: 10) }

    /// A stopped patience goes on where the run was saved, whenever training was killed.
    @Test(arguments: 0..<9)
    func earlyStoppingGoesOn(steps: Int) throws {
        let unbroken = try Run("\(directory.path)/unbroken", trainer(SGD()))
        let result = try unbroken.fit(train, test: test, epochs: 20, observers: [stopping()])
        #expect(result.end == .stopped && unbroken.trainer.position.epoch == 3)

        try Run(path, trainer(SGD())).fit(train, test: test, epochs: 20, observers: [stopping()], maxSteps: steps)
        let resumed = try Run(path, trainer(SGD()))
        #expect(try resumed.fit(train, test: test, epochs: 20, observers: [stopping()]).end == .stopped)
        #expect(resumed.trainer.position == unbroken.trainer.position || resumed.digest == unbroken.digest)
        #expect(resumed.digest == unbroken.digest && resumed.trainer.position.epoch == 3)

        // Once stopped, the run stays stopped, and more patience goes on.
        let again = try Run(path, trainer(SGD()))
        let stopped = try again.fit(train, test: test, epochs: 20, observers: [stopping()])
        #expect(stopped.end == .stopped && stopped.epochs.isEmpty)
        #expect(again.digest == unbroken.digest)
        let patient = EarlyStopping(BestScore(.loss), patience: 4, minimumGain: 10)
        #expect(
            try Run(path, trainer(SGD())).fit(train, test: test, epochs: 20, observers: [patient]).epochs.count == 2)
    }

    @Test func aStateThatIsNoneIsRefused() throws {
        let error = try #require(throws: TrainingError.self) { try stopping().restore("{}") }
        #expect("\(error)".contains("EarlyStopping"))
    }

    // MARK: Descriptions

    /// Each process has another order of dictionaries and sets.
    @Test func dictionariesAndSetsAreSorted() {
        struct Rule: SelfDescribing {
            let rates: [String: Double]
            let names: Set<String>
        }
        let keys = (0..<20).map { "key \($0)" }
        let rule = Rule(rates: Dictionary(uniqueKeysWithValues: keys.map { ($0, 0.5) }), names: Set(keys))
        let settings = rule.describedSettings
        let sorted = keys.sorted()
        #expect(settings["names"] == "[" + sorted.joined(separator: ", ") + "]")
        let places = sorted.compactMap { settings["rates"]?.range(of: "\"\($0)\"")?.lowerBound }
        #expect(places.count == 20 && places == places.sorted())
    }
}
