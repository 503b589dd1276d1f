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

    /// Without a test there is no test loss that could get better.
    @Test func trainingStopsWhenNothingGetsBetter() throws {
        let stopping = EarlyStopping(patience: 3)
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [stopping])
        let result = try trainer.fit(TinyTraining.dataset(9), epochs: 50)
        #expect(result.end == .stopped)
        #expect(result.epochs.count == 3)
        #expect(stopping.best.value == nil)
    }

    @Test func patienceCountsFromTheBestEpoch() throws {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        let stopping = EarlyStopping(BestScore(.loss), patience: 2, minimumGain: 0.1)
        let losses: [Double] = [3, 2, 1.95, 1, 0.95, 0.92]
        let directives = try losses.enumerated().map { epoch, loss in
            try stopping.epochEnded(result(epoch, loss: loss, hits: 0), trainer) == .stop
        }
        #expect(directives == [false, false, false, false, false, true])
        // A resumed run goes on counting.
        let resumed = EarlyStopping(stopping.best, patience: 4, minimumGain: 0.1)
        #expect(try resumed.epochEnded(result(6, loss: 0.95, hits: 0), trainer) == .proceed)
        #expect(try resumed.epochEnded(result(7, loss: 0.95, hits: 0), trainer) == .stop)
    }
}
