extension Trainer {
    /// Puts the gradients of the batch's mean loss into ``Network/parameterGradients``, in as many passes as the
    /// network needs. Parts of the batch are added in order, so the result depends only on the batch, however many
    /// passes run at once.
    func computeGradients(
        pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws -> LossResult {
        passes.run(pixels: pixels, labels: labels, count: count, step: UInt64(position.step))
        var result = LossResult()
        var pass = 0
        while pass < passes.ranges.count {
            let passResult = passes.results[pass]
            guard passResult.lossSum.isFinite else {
                restoreStates()
                let origin = firstNonFinite(
                    pixels: pixels + passes.ranges[pass].lowerBound * network.inputShape.elementCount,
                    count: passes.ranges[pass].count, mode: .training(step: UInt64(position.step)))
                restoreStates()
                throw nonFinite(origin)
            }
            result += passResult
            pass += 1
        }
        return result
    }
}

/// The passes of a training step. Threads take one pass after the other, each thread in memory of its own, and add the
/// gradients in the order of the batch.
final class TrainingMicroBatches: ConcurrentWork {
    private let network: Network
    private let loss: any Loss
    private let updater: ParameterUpdater
    private var batch: (pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, step: UInt64)?
    /// The samples of each pass of the last step.
    private(set) var ranges: MicroBatches
    /// Sums of the passes' gradients; empty if a step is one pass.
    private let gradientSum: AlignedStorage<Float>

    /// The losses and hits of the last step's passes.
    let results: UnsafeMutablePointer<LossResult>

    /// - Throws: ``OutOfMemory`` if the system has no memory for the sums.
    init(_ network: Network, loss: any Loss, updater: ParameterUpdater) throws(OutOfMemory) {
        self.network = network
        self.loss = loss
        self.updater = updater
        ranges = MicroBatches(samples: network.batchSize, size: network.microBatchSize)
        let most = ranges.count
        gradientSum = try AlignedStorage(count: most > 1 ? network.parameterLayout.count : 0)
        results = .allocate(capacity: most)
        results.initialize(repeating: LossResult(), count: most)
    }

    deinit { results.deallocate() }

    var memoryBytes: Int { gradientSum.count * MemoryLayout<Float>.stride }

    /// Makes all passes of a step, and puts the sum of the gradients into ``Network/parameterGradients`` if all losses
    /// are finite.
    func run(pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, step: UInt64) {
        batch = (pixels, labels, count, step)
        ranges = MicroBatches(samples: count, size: network.microBatchSize)
        Runtime.run(self, parts: ranges.count, workers: network.workspaces.count)
        guard gradientSum.count > 0 else { return }
        Elementwise.copy(
            count: gradientSum.count, gradientSum.pointer,
            out: network.parameterGradients.baseAddress.unsafelyUnwrapped,
            accumulate: false)
    }

    override func run(_ pass: Int, worker: Int) {
        guard let batch else { return }
        let memory = network.workspaces[worker]
        let first = ranges[pass].lowerBound, size = ranges[pass].count, classes = network.outputShape.elementCount
        network.forward(
            input: batch.pixels + first * network.inputShape.elementCount, count: size,
            mode: .training(step: batch.step),
            in: memory)
        network.stepBegins?(network.plan.loss)
        var gradient = UnsafeMutableBufferPointer(start: memory.outputGradient, count: size * classes).mutableSpan
        results[pass] = loss.evaluate(
            output: UnsafeBufferPointer(start: memory.output, count: size * classes).span,
            labels: UnsafeBufferPointer(start: batch.labels + first, count: size).span, classes: classes,
            gradient: &gradient)
        guard results[pass].lossSum.isFinite else { return }
        if size < batch.count {
            // The factor turns the pass's mean into the pass's share of the batch's mean.
            Elementwise.scale(count: size * classes, by: Float(size) / Float(batch.count), memory.outputGradient)
        }
        guard gradientSum.count == 0 else { return network.backward(count: size, step: batch.step, in: memory) }
        network.backward(count: size, step: batch.step, in: memory) { updater.update(completeFrom: $0) }
    }

    override func finish(_ pass: Int, worker: Int) {
        guard gradientSum.count > 0 else { return }
        Elementwise.copy(
            count: gradientSum.count, network.workspaces[worker].parameterGradients.pointer, out: gradientSum.pointer,
            accumulate: pass > 0)
    }
}
