import LinkedNet
import Testing

@Suite struct BestScoreTests {
    private func result(_ epoch: Int, loss: Double, hits: Int, test: Bool = true) -> EpochResult {
        let score = LossResult(lossSum: loss * 10, correctCount: hits, sampleCount: 10)
        return EpochResult(
            epoch: epoch, step: epoch, training: score, test: test ? score : nil, seconds: 1, testSeconds: 1)
    }

    @Test func higherAccuracyAndLowerLossAreBetter() {
        for (metric, best) in [(Metric.testAccuracy, 2), (.accuracy, 2), (.testLoss, 1), (.loss, 1)] {
            var score = BestScore(metric)
            let scores: [(loss: Double, hits: Int)] = [(3, 5), (1, 6), (2, 9), (4, 9)]
            for (epoch, (loss, hits)) in scores.enumerated() {
                score.consider(result(epoch, loss: loss, hits: hits))
            }
            #expect(score.epoch == best, "\(metric)")
            #expect(score.value == (best == 2 ? 0.9 : 1))
        }
    }

    @Test func notANumberIsNeverBest() {
        var score = BestScore(.loss)
        let isBest = [Double.nan, 5, .nan, 4].enumerated().map { score.consider(result($0, loss: $1, hits: 0)) }
        #expect(isBest == [false, true, false, true])
        #expect(score.value == 4)
        #expect(score.epoch == 3)
    }

    @Test func withoutATestThereIsNoTestScore() {
        var score = BestScore()
        score.consider(result(0, loss: 1, hits: 1, test: false))
        #expect(score.value == nil)
        #expect(score.epoch == nil)
    }

    @Test func trainingStopsWhenNothingGetsBetter() throws {
        // The learning rate is close to zero, so that the loss gains less than the minimum.
        let stopping = EarlyStopping(BestScore(.testLoss), patience: 3, minimumGain: 10)
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(learningRate: 1e-9), observers: [stopping])
        let result = try trainer.fit(TinyTraining.dataset(9), test: TinyTraining.dataset(9), epochs: 50)
        #expect(result.end == .stopped)
        #expect(result.epochs.count == 4)
        #expect(stopping.best.epoch == 0)
    }

    /// A user's observer that needs some scores.
    private final class Watcher: TrainingObserver {
        let watchedMetrics: [Metric]
        private(set) var began = false

        init(_ metrics: [Metric]) { watchedMetrics = metrics }

        func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
            began = true
            return .proceed
        }
    }

    /// Without test images there is no score of a test, and training would wait in vain.
    @Test(arguments: Metric.allCases)
    func aWatchedScoreThatCannotComeIsNamedBeforeTraining(metric: Metric) throws {
        let watcher = Watcher([.loss, metric])
        let observers: [(any TrainingObserver, String)] = [
            (EarlyStopping(BestScore(metric), patience: 3), "EarlyStopping"), (watcher, "Watcher"),
        ]
        for (observer, name) in observers {
            let first = Recorder()
            let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [first, observer])
            let before = trainer.network.digest
            if metric.needsTest {
                #expect(
                    throws: TrainingError.mismatch(
                        subject: name,
                        expected: "test images (test:), from which the \(metric.rawValue) comes that it watches",
                        found: "none")
                ) { try trainer.fit(TinyTraining.dataset(9), epochs: 20) }
                #expect(trainer.position == TrainingPosition())
                #expect(trainer.network.digest == before)
                #expect(first.begins == 0)
            } else {
                #expect(try trainer.fit(TinyTraining.dataset(9), epochs: 1).epochs.count == 1)
            }
            try trainer.fit(TinyTraining.dataset(9), test: TinyTraining.dataset(9), epochs: 2)
        }
        #expect(watcher.began)
    }

    @Test(arguments: [(0, 0), (-1, 0), (1, -0.1), (1, Double.nan), (1, .infinity)])
    func whatMakesNoSenseIsRefused(patience: Int, minimumGain: Double) throws {
        let stopping = EarlyStopping(BestScore(.loss), patience: patience, minimumGain: minimumGain)
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [stopping])
        let error = try #require(throws: TrainingError.self) { try trainer.fit(TinyTraining.dataset(9), epochs: 2) }
        guard case .mismatch("EarlyStopping", _, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(found == (patience < 1 ? "\(patience)" : "\(minimumGain)"))
        #expect(trainer.position.step == 0)
    }

    /// A score of a future epoch belongs to another training, so the training begins with a new score.
    @Test func anotherTrainingsScoreDoesNotCount() throws {
        var best = BestScore(.loss)
        best.consider(result(30, loss: 1e-9, hits: 0))
        let stopping = EarlyStopping(best, patience: 2, minimumGain: 100)
        for _ in 0..<2 {
            let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [stopping])
            let result = try trainer.fit(TinyTraining.dataset(9), epochs: 10)
            #expect(result.end == .stopped)
            #expect(result.epochs.count == 3)
            #expect(stopping.best.epoch == 0)
        }
        // The same training keeps its score.
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        try trainer.fit(TinyTraining.dataset(9), epochs: 3)
        var own = BestScore(.loss)
        own.consider(result(2, loss: 1e-9, hits: 0))
        let resumed = EarlyStopping(own, patience: 2)
        trainer.observers = [resumed]
        #expect(try trainer.fit(TinyTraining.dataset(9), epochs: 10).epochs.map(\.epoch) == [3, 4])
        #expect(resumed.best == own)
    }

    @Test func patienceCountsFromTheBestEpoch() throws {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        let stopping = EarlyStopping(BestScore(.loss), patience: 2, minimumGain: 0.1)
        let losses: [Double] = [3, 2, 1.95, 1, 0.95, 0.92]
        let directives = try losses.enumerated().map { epoch, loss in
            try stopping.epochEnded(result(epoch, loss: loss, hits: 0), trainer) == .stop
        }
        #expect(directives == [false, false, false, false, false, true])
        // A resumed run continues to count.
        let resumed = EarlyStopping(stopping.best, patience: 4, minimumGain: 0.1)
        #expect(try resumed.epochEnded(result(6, loss: 0.95, hits: 0), trainer) == .proceed)
        #expect(try resumed.epochEnded(result(7, loss: 0.95, hits: 0), trainer) == .stop)
    }
}
