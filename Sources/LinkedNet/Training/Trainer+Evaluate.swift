extension Trainer {
    /// Loss and hits on a data set, every sample counted once, with dropout off and running statistics. Changes nothing.
    ///
    /// - Parameter dataset: images of ``Network/inputShape``, of as many classes as the network has outputs.
    /// - Throws: ``TrainingError`` if the data set doesn't fit, and what it throws itself.
    public func evaluate(_ dataset: any Dataset) throws -> EvaluationResult {
        try evaluate(dataset, requiresFinite: false) { _ in false }.result
    }

    /// As ``evaluate(_:)``, but tells the observers, and throws if the loss is NaN or infinite; `nil` if an observer ended it.
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
                subject: dataset.name, expected: "classes whose confusion matrix fits in memory", found: "\(classes) classes")
        }
        let loader = try BatchLoader(dataset: dataset, batchSize: network.passSize, sampler: .fileOrder)
        var result = LossResult()
        var confusion = Array(repeating: 0, count: pairs)
        var isComplete = true
        while isComplete, let batch = try loader.next() {
            try network.forward(input: batch.pixels, count: batch.count, mode: .inference)
            let batchResult = loss.evaluate(
                output: network.output, labels: batch.labels, count: batch.count, classes: classes, gradient: nil)
            if requiresFinite, !batchResult.lossSum.isFinite {
                let origin = try firstNonFinite(pixels: batch.pixels, count: batch.count, mode: .inference)
                throw TrainingError.nonFinite(
                    layer: origin.layer, cause: origin.cause, step: position.step, epoch: position.epoch + 1)
            }
            result += batchResult
            for sample in 0..<batch.count {
                guard let prediction = Self.firstLargest(of: network.output + sample * classes, count: classes) else {
                    continue
                }
                confusion[Int(batch.labels[sample]) * classes + prediction] += 1
            }
            let event = EvaluationEvent(batch: batch.index + 1, batchCount: loader.batchesPerEpoch)
            if try stopsAfter(event), event.batch < event.batchCount { isComplete = false }
        }
        return (EvaluationResult(result: result, confusion: confusion, classCount: classes), isComplete)
    }

    /// The index of the first largest element; `nil` if one is NaN.
    private static func firstLargest(of elements: UnsafePointer<Float>, count: Int) -> Int? {
        var best = 0
        for index in 0..<count {
            if elements[index].isNaN { return nil }
            if elements[index] > elements[best] { best = index }
        }
        return best
    }
}
