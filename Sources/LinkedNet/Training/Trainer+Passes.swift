extension Trainer {
    /// Puts the gradients of the batch's mean loss into ``Network/parameterGradients``, in as many passes as the network needs. Parts of
    /// the batch are added in order, so the result is a function of the batch, however many passes run at once.
    func computeGradients(
        pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws -> LossResult {
        var result = LossResult()
        passes.begin(pixels: pixels, labels: labels, count: count, step: UInt64(position.step))
        while passes.start < count {
            Runtime.run(passes, parts: passes.runningCount)
            var pass = 0
            while pass < passes.runningCount {
                let passResult = passes.results[pass]
                guard passResult.lossSum.isFinite else {
                    restoreStates()
                    let origin = firstNonFinite(
                        pixels: pixels + passes.firstSample(of: pass) * network.inputShape.elementCount, count: passes.sampleCount(of: pass),
                        mode: .training(step: UInt64(position.step)))
                    restoreStates()
                    throw nonFinite(origin)
                }
                result += passResult
                if gradientSum.count > 0 {
                    Elementwise.copy(
                        count: gradientSum.count, network.passMemories[pass].parameterGradients.pointer,
                        out: gradientSum.pointer, accumulate: passes.start + pass > 0)
                }
                pass += 1
            }
            passes.advance()
        }
        if gradientSum.count > 0 {
            Elementwise.copy(
                count: gradientSum.count, gradientSum.pointer, out: network.parameterGradients.baseAddress.unsafelyUnwrapped,
                accumulate: false)
        }
        return result
    }
}

/// The passes of a training step, of which some run at once, each in a memory of its own.
final class TrainingPasses: ConcurrentWork {
    private let network: Network
    private let loss: any Loss
    private var batch: (pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, step: UInt64)?

    /// The first sample of those that run now.
    private(set) var start = 0
    /// The losses and hits of those that ran.
    let results: UnsafeMutablePointer<LossResult>

    init(_ network: Network, loss: any Loss) {
        self.network = network
        self.loss = loss
        results = .allocate(capacity: network.passMemories.count)
        results.initialize(repeating: LossResult(), count: network.passMemories.count)
    }

    deinit { results.deallocate() }

    /// Starts a step. The memory has to stay until its last pass has run.
    func begin(pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, step: UInt64) {
        batch = (pixels, labels, count, step)
        start = 0
    }

    /// Goes on to the next ones.
    func advance() { start += network.passSize * network.passMemories.count }

    /// How many passes run at once now.
    var runningCount: Int {
        guard let batch else { return 0 }
        return min(network.passMemories.count, (batch.count - start + network.passSize - 1) / network.passSize)
    }

    /// The first sample of a pass.
    func firstSample(of pass: Int) -> Int { start + pass * network.passSize }

    /// How many samples a pass has.
    func sampleCount(of pass: Int) -> Int { min(network.passSize, (batch?.count ?? 0) - firstSample(of: pass)) }

    override func run(_ pass: Int) {
        guard let batch else { return }
        let memory = network.passMemories[pass]
        let first = firstSample(of: pass), size = sampleCount(of: pass), classes = network.outputShape.elementCount
        network.forward(
            input: batch.pixels + first * network.inputShape.elementCount, count: size, mode: .training(step: batch.step),
            in: memory)
        results[pass] = loss.evaluate(
            output: memory.output, labels: batch.labels + first, count: size, classes: classes, gradient: memory.outputGradient)
        guard results[pass].lossSum.isFinite else { return }
        if size < batch.count {
            // From the mean of the pass to its share in the mean of the batch.
            Elementwise.scale(count: size * classes, by: Float(size) / Float(batch.count), memory.outputGradient)
        }
        network.backward(count: size, step: batch.step, in: memory)
    }
}
