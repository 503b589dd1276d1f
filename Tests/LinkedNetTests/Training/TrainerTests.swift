import LinkedNet
import Synchronization
import Testing

/// Plain gradient descent that records its arguments.
private final class SpyOptimizer: Optimizer {
    let learningRate = 0.5
    let decay: Double
    let slotNames: [String] = []
    private let updates = Mutex<[(rate: Double, scale: Float)]>([])

    init(decay: Double = 0) { self.decay = decay }

    var rates: [Double] { updates.withLock { $0.map(\.rate) } }
    var scales: [Float] { updates.withLock { $0.map(\.scale) } }

    func update(_ parameters: ParameterUpdate) {
        updates.withLock { $0.append((parameters.learningRate, parameters.gradientScale)) }
    }
}

@Suite struct TrainerTests {
    @Test func fittingLearns() throws {
        let network = try TinyTraining.network()
        let trainer = try Trainer(network, optimizer: Adam(learningRate: 0.01))
        let result = try trainer.fit(
            TinyTraining.dataset(48), test: TinyTraining.dataset(30, seed: 2), epochs: 20)
        #expect(result.end == .completed)
        #expect(result.epochs.map(\.epoch) == Array(0..<20))
        let losses = result.epochs.map(\.training.loss)
        #expect(losses[19] < 0.5 * losses[0])
        #expect(try trainer.evaluate(TinyTraining.dataset(30, seed: 2)).accuracy > 0.9)
    }

    /// 21 samples in batches of 8, 8 and 5.
    @Test func everySampleCountsOnce() throws {
        let recorder = Recorder()
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [recorder])
        try trainer.fit(TinyTraining.dataset(21), test: TinyTraining.dataset(10), epochs: 2)
        #expect(recorder.steps.map(\.result.sampleCount) == [8, 8, 5, 8, 8, 5])
        #expect(recorder.steps.map(\.step) == [1, 2, 3, 4, 5, 6])
        #expect(recorder.steps.map(\.batch) == [1, 2, 3, 1, 2, 3])
        #expect(recorder.steps.map(\.epochResult.sampleCount) == [8, 16, 21, 8, 16, 21])
        #expect(recorder.epochs.map(\.training.sampleCount) == [21, 21])
        #expect(recorder.epochs.map(\.test?.sampleCount) == [10, 10])
        #expect(recorder.evaluationSteps == 4)
        #expect(recorder.begins == 1)
        #expect(recorder.ends == [.completed])
    }

    @Test func evaluationCountsEverySampleWithItsPrediction() throws {
        let network = try TinyTraining.network()
        let dataset = try TinyTraining.dataset(21)
        let trainer = try Trainer(network, optimizer: SGD())
        let before = network.digest
        let evaluation = try trainer.evaluate(dataset)
        #expect(network.digest == before)
        #expect(evaluation.result.sampleCount == 21)
        let confusion = evaluation.confusion
        #expect(confusion.reduce(0, +) == 21)
        for label in 0..<3 { #expect(confusion[3 * label..<3 * label + 3].reduce(0, +) == 7) }
        #expect(confusion[0] + confusion[4] + confusion[8] == evaluation.result.correctCount)
        // The same results follow from single predictions.
        let pixels = dataset.pixels.map { Float($0) / 255 }
        let images = try Tensor(shape: [21, 6, 6, 1], elements: pixels)
        let outputs = try network.predict(images)
        let hits = (0..<21).filter { sample in
            let row = outputs.elements[3 * sample..<3 * sample + 3]
            return row.firstIndex(of: row.max() ?? 0).map { $0 - 3 * sample } == sample % 3
        }
        #expect(hits.count == evaluation.result.correctCount)
    }

    /// The prediction is the first of equal outputs, as in the accuracy.
    @Test func equalOutputsPredictTheFirstClass() throws {
        let network = try TinyTraining.network()
        network.forEachWeight { info, elements in
            if info.name.hasPrefix("dense/") { for index in elements.indices { elements[index] = 0 } }
        }
        let evaluation = try Trainer(network, optimizer: SGD()).evaluate(TinyTraining.dataset(21))
        #expect(evaluation.confusion == [7, 0, 0, 7, 0, 0, 7, 0, 0])
        #expect(evaluation.result.correctCount == 7)
    }

    /// Outputs that are not numbers predict nothing.
    @Test(arguments: [0, 2])
    func outputsThatAreNoNumbersPredictNothing(output: Int) throws {
        let network = try TinyTraining.network()
        network.forEachWeight { info, elements in if info.name == "dense/bias" { elements[output] = .nan } }
        let evaluation = try Trainer(network, optimizer: SGD()).evaluate(TinyTraining.dataset(21))
        #expect(evaluation.confusion.allSatisfy { $0 == 0 })
        #expect(evaluation.result.sampleCount == 21)
    }

    // MARK: Learning rates

    @Test func theRateDecaysWithEveryUpdate() throws {
        let optimizer = SpyOptimizer(decay: 0.1)
        try Trainer(TinyTraining.network(), optimizer: optimizer).fit(TinyTraining.dataset(21), epochs: 2)
        let expected: [Double] = [0, 1, 2, 3, 4, 5].map { 0.5 / (1 + 0.1 * $0) }
        #expect(optimizer.rates == expected)
    }

    @Test func theScheduleFollowsEpochsAndSteps() throws {
        let optimizer = SpyOptimizer()
        let schedule = LearningRateSchedule.warmUp(
            steps: 2, then: .steps([.init(fromEpoch: 1, factor: 0.5), .init(fromEpoch: 2, factor: 0.25)]))
        try Trainer(TinyTraining.network(), optimizer: optimizer, schedule: schedule)
            .fit(TinyTraining.dataset(21), epochs: 3)
        #expect(optimizer.rates == [0.25, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125])
    }

    @Test func aCosineEndsAtItsEpochs() throws {
        let optimizer = SpyOptimizer()
        try Trainer(TinyTraining.network(), optimizer: optimizer, schedule: .cosine(epochs: 2))
            .fit(TinyTraining.dataset(16), epochs: 3)
        #expect(optimizer.rates.first == 0.5)
        #expect(abs(optimizer.rates[2] - 0.25) < 1e-15)
        #expect(optimizer.rates.suffix(2).allSatisfy { abs($0) < 1e-15 })
    }

    /// A rate that is not a number would give such weights, and a negative rate would increase the loss.
    @Test(arguments: [Double.nan, .infinity, -0.5])
    func aRateThatMakesNoSenseIsNamed(factor: Double) throws {
        let optimizer = SpyOptimizer()
        let trainer = try Trainer(
            TinyTraining.network(), optimizer: optimizer, schedule: .steps([.init(fromEpoch: 1, factor: factor)]))
        let error = try #require(throws: TrainingError.self) { try trainer.fit(TinyTraining.dataset(8), epochs: 3) }
        guard case .mismatch(let subject, _, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(subject.hasPrefix("learning rate of step 2"))
        #expect(found == "\(0.5 * factor)")
        #expect(optimizer.rates == [0.5])
    }

    // MARK: Clipping

    @Test func gradientsAreScaledDownToTheNorm() throws {
        let network = try TinyTraining.network()
        let optimizer = SpyOptimizer()
        try Trainer(network, optimizer: optimizer, gradientClipNorm: 1e-3).fit(TinyTraining.dataset(8), epochs: 1)
        let norm = network.parameterGradients.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let scale = try #require(optimizer.scales.first)
        #expect(norm > 1e-3)
        #expect(abs(Double(scale) * norm - 1e-3) < 1e-9)
    }

    @Test func smallGradientsStayAsTheyAre() throws {
        let optimizer = SpyOptimizer()
        try Trainer(TinyTraining.network(), optimizer: optimizer, gradientClipNorm: 1e6)
            .fit(TinyTraining.dataset(8), epochs: 1)
        #expect(optimizer.scales == [1])
    }

    @Test(arguments: [0, -1, Double.nan, .infinity])
    func aNormThatIsNoneIsRefused(norm: Double) throws {
        #expect(throws: OptimizerError.self) {
            try Trainer(TinyTraining.network(), optimizer: SGD(), gradientClipNorm: norm)
        }
    }

    // MARK: Limits

    @Test func stepsAreLimited() throws {
        let recorder = Recorder()
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(), observers: [recorder])
        let first = try trainer.fit(TinyTraining.dataset(21), epochs: 9, maxSteps: 4)
        #expect(first.end == .stepLimit)
        #expect(first.epochs.count == 1)
        #expect(trainer.position.epoch == 1)
        #expect(trainer.position.batch == 1)
        // The second training counts its steps from 0. An epoch that is complete with the last step ends.
        let second = try trainer.fit(TinyTraining.dataset(21), test: TinyTraining.dataset(9), epochs: 9, maxSteps: 2)
        #expect(second.epochs.map(\.epoch) == [1])
        #expect(trainer.position.step == 6)
        #expect(recorder.epochs.last?.test?.sampleCount == 9)
    }

    // MARK: Errors

    private func mismatch(_ body: (Trainer) throws -> Void) throws -> String {
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
        let error = try #require(throws: TrainingError.self) { try body(trainer) }
        guard case .mismatch(let subject, _, _) = error else { return "\(error)" }
        #expect(trainer.position == TrainingPosition())
        return subject
    }

    @Test func whatDoesNotFitIsNamed() throws {
        #expect(try mismatch { try $0.fit(TinyTraining.dataset(9), epochs: 1, batchSize: 9) } == "batch size")
        #expect(try mismatch { try $0.fit(TinyTraining.dataset(9), epochs: 1, batchSize: 0) } == "batch size")
        #expect(try mismatch { try $0.fit(NumberedDataset(count: 9), epochs: 1) } == "numbered")
        #expect(try mismatch { try $0.fit(TinyTraining.dataset(9).prefix(0), epochs: 1) } == "rows (first 0)")
        #expect(
            try mismatch { try $0.fit(TinyTraining.dataset(9), test: NumberedDataset(count: 9), epochs: 1) }
                == "numbered")
        let twoClasses = try ImageDataset(
            name: "two", imageShape: [6, 6, 1], classNames: ["a", "b"], pixels: Array(repeating: 0, count: 36),
            labels: [0])
        #expect(try mismatch { _ = try $0.evaluate(twoClasses) } == "two")
        let pixels = [Float](repeating: 0, count: 9 * 36)
        let labels = [Int32](repeating: 0, count: 9)
        #expect(try mismatch { _ = try $0.step(pixels: pixels, labels: labels) } == "batch")
        #expect(try mismatch { _ = try $0.step(pixels: [], labels: []) } == "batch")
        #expect(try mismatch { _ = try $0.step(pixels: pixels, labels: [0]) } == "pixels of a step")
        let two = Array(pixels.prefix(2 * 36))
        #expect(try mismatch { _ = try $0.step(pixels: two, labels: [0, 3]) } == "label of sample 1")
    }

    /// The trainer throws the data set's error, and the position is the last step's.
    @Test func aFailingDatasetEndsTraining() throws {
        let model = Sequential {
            Flatten()
            Dense(3)
        }
        let trainer = try Trainer(Network(model, input: [2, 2, 1], batch: 4), optimizer: SGD(learningRate: 1e-9))
        #expect(throws: NumberedDataset.Failure(image: 9)) {
            try trainer.fit(NumberedDataset(count: 12, failing: 9, times: 99), epochs: 1, sampler: .fileOrder)
        }
        #expect(trainer.position.batch == 2)
    }
}
