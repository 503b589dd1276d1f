extension Trainer {
    /// Trains on a data set, from ``position`` on, until `epochs` epochs are complete.
    ///
    /// The images of a batch and the augmentation of each image depend only on the arguments and the position. So a run
    /// that was saved in the middle of an epoch continues with the same bits as a run without interruption, if the
    /// arguments are the same. In the middle of an epoch another batch size, sampler, seed or number of images is an
    /// error before anything changes: batches would repeat images or leave some images out. Between epochs all of these
    /// arguments may change.
    ///
    /// - Parameters:
    ///   - train: images of ``Network/inputShape``, of as many classes as the network has outputs.
    ///   - test: the images on which each epoch ends with an evaluation; needed if an observer watches a score of the
    ///     test (``TrainingObserver/watchedMetrics``).
    ///   - epochs: the number of epochs of the whole run, epochs before ``position`` included.
    ///   - batchSize: the number of images of a step; at most, and by default, ``Network/batchSize``.
    ///   - sampler: the order of each epoch.
    ///   - augmentation: random changes to the training images.
    ///   - seed: the seed of sampler and augmentation; the network's seed by default.
    ///   - maxSteps: ends training after this many steps. An epoch that is incomplete then gets no evaluation.
    /// - Throws: ``TrainingError``, and the errors of data sets and observers. ``position`` then tells how far training
    ///   came. A step may make a weight NaN or infinite. Such a weight ends training at the latest after the epoch of
    ///   the step, before the epoch's test, and in any case before this method returns.
    @discardableResult
    public func fit(
        _ train: any Dataset, test: (any Dataset)? = nil, epochs: Int, batchSize: Int? = nil,
        sampler: Sampler = .shuffled, augmentation: Augmentation = .none, seed: UInt64? = nil, maxSteps: Int? = nil
    ) throws -> TrainingResult {
        let batchSize = batchSize ?? network.batchSize
        try check(train)
        if let test { try check(test) } else { try checkObserversNeedNoTest() }
        guard batchSize >= 1, batchSize <= network.batchSize else {
            throw TrainingError.mismatch(
                subject: "batch size", expected: "1 to \(network.batchSize), the network's", found: "\(batchSize)")
        }
        let batches = TrainingPosition.EpochBatches(
            batchSize: batchSize, sampler: sampler, imageCount: train.count, seed: seed ?? network.seed)
        try position.check(batches)
        let loader = try BatchLoader(
            dataset: train, batchSize: batchSize, sampler: sampler, augmentation: augmentation, seed: batches.seed)
        let lastStep = maxSteps.map { steps in
            let (sum, overflows) = position.step.addingReportingOverflow(max(steps, 0))
            return overflows ? .max : sum
        }
        loader.seek(epoch: position.epoch, batch: position.batch)
        let begin = TrainingBegin(
            position: position, epochs: epochs, batchesPerEpoch: loader.batchesPerEpoch, lastStep: lastStep)
        let isStopped = try observers.reduce(false) { try $1.trainingBegan(begin, self) == .stop || $0 }

        var results: [EpochResult] = []
        var end = isStopped ? TrainingResult.End.stopped : .completed
        while !isStopped, position.epoch < epochs {
            if let early = try trainEpoch(loader, batches, lastStep: lastStep) {
                end = early
                break
            }
            guard let result = try finishEpoch(test: test) else {
                end = .stopped
                break
            }
            results.append(result)
            if try observers.reduce(false, { try $1.epochEnded(result, self) == .stop || $0 }) {
                end = .stopped
                break
            }
        }
        // No later step's loss shows a NaN or infinite weight from the last step.
        try checkWeights()
        let result = TrainingResult(epochs: results, end: end)
        for observer in observers { try observer.trainingEnded(result, self) }
        return result
    }

    /// Throws if an observer watches a score that can't come without test images.
    private func checkObserversNeedNoTest() throws(TrainingError) {
        for observer in observers {
            guard let metric = observer.watchedMetrics.first(where: \.needsTest) else { continue }
            throw .mismatch(
                subject: "\(type(of: observer))",
                expected: "test images (test:), from which the \(metric.rawValue) comes that it watches", found: "none")
        }
    }

    /// Trains to the end of the running epoch; returns a reason if training ended earlier.
    private func trainEpoch(
        _ loader: BatchLoader, _ batches: TrainingPosition.EpochBatches, lastStep: Int?
    ) throws -> TrainingResult.End? {
        var timer = Stopwatch()
        while true {
            if let lastStep, position.step >= lastStep, position.batch < loader.batchesPerEpoch { return .stepLimit }
            guard let batch = try loader.next() else { return nil }
            let result = try step(
                pixels: batch.pixels, labels: batch.labels, count: batch.count,
                stepsPerEpoch: loader.batchesPerEpoch)
            position.batch += 1
            position.batches = batches
            position.epochResult += result
            position.epochSeconds += timer.lap()
            let event = StepEvent(
                epoch: position.epoch, batch: position.batch, batchesPerEpoch: loader.batchesPerEpoch,
                step: position.step, result: result, epochResult: position.epochResult,
                epochSeconds: position.epochSeconds)
            var stops = false
            for observer in observers where try observer.stepEnded(event, self) == .stop { stops = true }
            if stops { return .stopped }
            // The observers' time isn't training.
            _ = timer.lap()
        }
    }

    /// Tests, and moves on to the next epoch; `nil` if an observer ended the test.
    private func finishEpoch(test: (any Dataset)?) throws -> EpochResult? {
        // A loss can be finite although weights aren't finite: a ReLU makes 0 of minus infinity.
        try checkWeights()
        var timer = Stopwatch()
        var testResult: LossResult?
        if let test {
            guard let evaluation = try evaluateUnlessStopped(test) else { return nil }
            testResult = evaluation.result
        }
        let result = EpochResult(
            epoch: position.epoch, step: position.step, training: position.epochResult, test: testResult,
            seconds: position.epochSeconds, testSeconds: timer.lap())
        position.finishEpoch()
        return result
    }
}

/// Measures time in laps.
private struct Stopwatch {
    private var start = ContinuousClock.now

    /// Seconds since the last lap ended.
    mutating func lap() -> Double {
        let now = ContinuousClock.now
        let (seconds, attoseconds) = start.duration(to: now).components
        start = now
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
