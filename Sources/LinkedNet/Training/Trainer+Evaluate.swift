extension Trainer {
    /// Loss and hits on a data set, every sample counted once, with dropout off and running statistics. Changes
    /// nothing.
    ///
    /// - Parameter dataset: images of ``Network/inputShape``, of as many classes as the network has outputs.
    /// - Throws: ``TrainingError`` if the data set doesn't fit, and the errors of the data set.
    public func evaluate(_ dataset: any Dataset) throws -> EvaluationResult {
        try evaluate(dataset) { _ in }
    }

    /// As ``evaluate(_:)``; `progress` is called after each batch.
    public func evaluate(_ dataset: any Dataset, progress: (EvaluationEvent) -> Void) throws -> EvaluationResult {
        try evaluate(dataset, requiresFinite: false) { event in
            progress(event)
            return false
        }.result
    }

    /// As ``evaluate(_:)``, but tells the observers, and throws if the loss is NaN or infinite; `nil` if an observer
    /// ended the evaluation.
    func evaluateUnlessStopped(_ dataset: any Dataset) throws -> EvaluationResult? {
        let (result, isComplete) = try evaluate(dataset, requiresFinite: true) { event in
            var stops = false
            for observer in observers where try observer.evaluationStepEnded(event, self) == .stop { stops = true }
            return stops
        }
        return isComplete ? result : nil
    }

    private func evaluate(
        _ dataset: any Dataset, requiresFinite: Bool, stopsAfter: (EvaluationEvent) throws -> Bool
    ) throws -> (result: EvaluationResult, isComplete: Bool) {
        try check(dataset)
        let classes = dataset.classCount
        let (pairs, overflow) = classes.multipliedReportingOverflow(by: classes)
        guard !overflow, !OutOfMemory.awaits(pairs, of: Int.self) else {
            throw TrainingError.mismatch(
                subject: dataset.name, expected: "classes whose confusion matrix fits in memory",
                found: "\(classes) classes")
        }
        let passes = InferenceMicroBatches(network)
        let loader = try BatchLoader(dataset: dataset, batchSize: passes.mostSamples, sampler: .fileOrder)
        var result = LossResult()
        var confusion = Array(repeating: 0, count: pairs)
        var isComplete = true
        while isComplete, let batch = try loader.next() {
            do {
                network.use.begin()
                defer { network.use.end() }
                passes.run(pixels: batch.pixels, count: batch.count)
                for pass in 0..<passes.ranges.count {
                    let samples = passes.ranges[pass], (first, count) = (samples.lowerBound, samples.count)
                    let output = passes.output(of: pass), labels = batch.labels + first
                    var noGradient = MutableSpan<Float>()
                    let passResult = loss.evaluate(
                        output: UnsafeBufferPointer(start: output, count: count * classes).span,
                        labels: UnsafeBufferPointer(start: labels, count: count).span, classes: classes,
                        gradient: &noGradient)
                    if requiresFinite, !passResult.lossSum.isFinite {
                        let origin = firstNonFinite(
                            pixels: batch.pixels + first * network.inputShape.elementCount, count: count,
                            mode: .inference)
                        throw TrainingError.nonFinite(
                            layer: origin.layer, cause: origin.cause, step: position.step, epoch: position.epoch + 1)
                    }
                    result += passResult
                    for sample in 0..<count {
                        guard let prediction = Self.firstLargest(of: output + sample * classes, count: classes) else {
                            continue
                        }
                        confusion[Int(labels[sample]) * classes + prediction] += 1
                    }
                }
            }
            let event = EvaluationEvent(batch: batch.index + 1, batchCount: loader.batchesPerEpoch)
            if try stopsAfter(event), event.batch < event.batchCount { isComplete = false }
        }
        return (EvaluationResult(result: result, confusion: confusion, classCount: classes), isComplete)
    }

    /// The index of the first largest element; `nil` if an element is NaN.
    private static func firstLargest(of elements: UnsafePointer<Float>, count: Int) -> Int? {
        var best = 0
        for index in 0..<count {
            if elements[index].isNaN { return nil }
            if elements[index] > elements[best] { best = index }
        }
        return best
    }
}
