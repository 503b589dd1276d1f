/// Trains a network: owns the loop, the optimizer's memory and the position in the run.
///
/// ```swift
/// let network = try Network(model, input: [32, 32, 3], batch: 32, seed: 1)
/// let trainer = try Trainer(network, optimizer: SGD(momentum: 0.9, nesterov: true, decay: 1e-6))
/// try trainer.fit(train, test: test, epochs: 10)
/// print(try trainer.evaluate(test).accuracy)
/// ```
///
/// A trainer is not thread-safe, and no other code may use the network during training: see ``Network``.
public final class Trainer {
    /// The network that is trained.
    public let network: Network
    /// The rule by which parameters follow the gradients.
    public let optimizer: any Optimizer
    /// The loss that training makes small.
    public let loss: any Loss
    /// The rule by which the learning rate changes.
    public var schedule: LearningRateSchedule
    /// The largest Euclidean norm of all gradients together. Gradients of a larger norm are scaled down to this norm;
    /// `nil` never scales.
    public let gradientClipNorm: Double?
    /// The observers, in the order of the calls.
    public var observers: [any TrainingObserver]
    /// The position of training, which changes with every step.
    public internal(set) var position = TrainingPosition()

    /// The optimizer's slots, in the order of the slots' names, each laid out as ``Network/parameterLayout``.
    let slots: [AlignedStorage<Float>]
    /// The states before the running step, so that a failed step leaves no traces.
    private let stateBackup: AlignedStorage<Float>
    let passes: TrainingMicroBatches
    private let updater: ParameterUpdater

    /// A trainer at the beginning of a run.
    ///
    /// - Parameters:
    ///   - network: the network to train. The weights are changed in place.
    ///   - optimizer: the rule by which parameters follow the gradients.
    ///   - loss: the function to minimise.
    ///   - schedule: the rule by which the learning rate changes.
    ///   - gradientClipNorm: more than 0.
    ///   - observers: the observers of training.
    /// - Throws: ``OptimizerError`` for a norm that isn't more than 0, or for two slots of one name, ``OutOfMemory`` if
    ///   the system has no memory for the slots.
    public init(
        _ network: Network, optimizer: any Optimizer, loss: any Loss = SoftmaxCrossEntropy(),
        schedule: LearningRateSchedule = .constant, gradientClipNorm: Double? = nil,
        observers: [any TrainingObserver] = []
    ) throws {
        if let norm = gradientClipNorm {
            try OptimizerError.check("gradient clip norm", norm, in: Double.leastNonzeroMagnitude..<Double.infinity)
        }
        var slotNames: Set<ByteName> = []
        if let name = optimizer.slotNames.first(where: { !slotNames.insert(ByteName($0)).inserted }) {
            throw OptimizerError(setting: "slotNames", expected: "names used once", found: "\(name) twice")
        }
        self.network = network
        self.optimizer = optimizer
        self.loss = loss
        self.schedule = schedule
        self.gradientClipNorm = gradientClipNorm
        self.observers = observers
        slots = try optimizer.slotNames.map { _ in try AlignedStorage(count: network.parameterLayout.count) }
        stateBackup = try AlignedStorage(count: network.stateLayout.count)
        updater = ParameterUpdater(
            network, optimizer: optimizer, slots: slots.map(\.pointer),
            early: gradientClipNorm == nil && network.microBatchSize == network.batchSize)
        passes = try TrainingMicroBatches(network, loss: loss, updater: updater)
    }

    /// The memory that the trainer holds beside the network's, in bytes: the optimizer's slots, a copy of the states,
    /// and sums of gradients.
    public var memoryBytes: Int {
        (slots.count * network.parameterLayout.count + network.stateLayout.count) * MemoryLayout<Float>.stride
            + passes.memoryBytes
    }

    // MARK: A step

    /// Changes the weights for one batch: forward pass, loss, backward pass, clipping, update. Allocates nothing.
    ///
    /// If the loss isn't finite, parameters, states and slots stay unchanged. With clipping, the same holds if a
    /// gradient isn't finite. Without clipping, a gradient that isn't finite makes weights NaN or infinite:
    /// ``checkWeights()`` finds such weights.
    ///
    /// - Parameters:
    ///   - pixels: [samples] + ``Network/inputShape``.
    ///   - labels: 1 … ``Network/batchSize`` samples, each of `0 ..< classes`.
    ///   - stepsPerEpoch: the number of steps in an epoch, for schedules that need the number.
    /// - Returns: losses and correct predictions before the update.
    /// - Throws: ``TrainingError``.
    @discardableResult
    public func step(pixels: Span<Float>, labels: Span<Int32>, stepsPerEpoch: Int = 1) throws -> LossResult {
        let expected = labels.count.multipliedReportingOverflow(by: network.inputShape.elementCount)
        guard !expected.overflow, pixels.count == expected.partialValue else {
            throw TrainingError.mismatch(
                subject: "pixels of a step", expected: "\(labels.count) × \(network.inputShape) numbers",
                found: "\(pixels.count)")
        }
        return try pixels.withUnsafeBufferPointer { pixels in
            try labels.withUnsafeBufferPointer { labels in
                guard let pixelStart = pixels.baseAddress, let labelStart = labels.baseAddress else {
                    throw TrainingError.mismatch(
                        subject: "batch", expected: "1 to \(network.batchSize) samples", found: "0")
                }
                return try step(
                    pixels: pixelStart, labels: labelStart, count: labels.count, stepsPerEpoch: stepsPerEpoch)
            }
        }
    }

    /// Changes the weights for one batch in arrays: as the method that takes spans.
    @discardableResult
    public func step(pixels: [Float], labels: [Int32], stepsPerEpoch: Int = 1) throws -> LossResult {
        try step(pixels: pixels.span, labels: labels.span, stepsPerEpoch: stepsPerEpoch)
    }

    /// Changes the weights for a batch that a ``BatchLoader`` gave: as the method that takes spans.
    @discardableResult
    public func step(_ batch: Batch, stepsPerEpoch: Int = 1) throws -> LossResult {
        guard batch.imageShape == network.inputShape else {
            throw TrainingError.mismatch(
                subject: "images of a batch", expected: "\(network.inputShape)", found: "\(batch.imageShape)")
        }
        return try step(pixels: batch.pixels, labels: batch.labels, count: batch.count, stepsPerEpoch: stepsPerEpoch)
    }

    /// Changes the weights for one batch in memory that a loader owns.
    func step(
        pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, stepsPerEpoch: Int
    ) throws -> LossResult {
        let classes = network.outputShape.elementCount
        try check(labels: labels, count: count, classes: classes)
        let learningRate = learningRate(stepsPerEpoch: stepsPerEpoch)
        guard learningRate >= 0, learningRate.isFinite else {
            throw TrainingError.mismatch(
                subject: "learning rate of step \(position.step + 1), from optimizer, decay and schedule",
                expected: "a finite number of at least 0", found: "\(learningRate)")
        }
        network.use.begin()
        defer { network.use.end() }
        stateBackup.pointer.update(from: network.states.baseAddress.unsafelyUnwrapped, count: stateBackup.count)
        updater.begin(step: position.step, learningRate: learningRate)
        let result = try computeGradients(pixels: pixels, labels: labels, count: count)
        updater.finish(gradientScale: try gradientScale())
        position.step += 1
        return result
    }

    /// The learning rate of the next step: the optimizer's learning rate, times the schedule's factor, divided by
    /// `1 + decay·t`, where t is the number of steps so far.
    public func learningRate(stepsPerEpoch: Int) -> Double {
        let factor = schedule.factor(epoch: position.epoch, step: position.step, stepsPerEpoch: stepsPerEpoch)
        return optimizer.learningRate * factor / (1 + optimizer.decay * Double(position.step))
    }

    /// The factor by which clipping multiplies the gradients.
    private func gradientScale() throws -> Float {
        guard let limit = gradientClipNorm else { return 1 }
        let gradients = network.parameterGradients.baseAddress.unsafelyUnwrapped
        // Squares of 32-bit floats don't overflow in double: the sum is finite exactly if all gradients are.
        let norm = Elementwise.sumOfSquares(count: network.parameterLayout.count, gradients).squareRoot()
        guard norm.isFinite else {
            restoreStates()
            throw nonFinite(firstNonFiniteGradient())
        }
        return norm > limit ? Float(limit / norm) : 1
    }

    func restoreStates() {
        network.states.baseAddress.unsafelyUnwrapped.update(from: stateBackup.pointer, count: stateBackup.count)
    }

    func nonFinite(_ origin: NonFiniteOrigin) -> TrainingError {
        .nonFinite(layer: origin.layer, cause: origin.cause, step: position.step + 1, epoch: position.epoch + 1)
    }

    private func check(labels: UnsafePointer<Int32>, count: Int, classes: Int) throws(TrainingError) {
        guard count >= 1, count <= network.batchSize else {
            throw .mismatch(
                subject: "batch", expected: "1 to \(network.batchSize) samples, the network's batch size",
                found: "\(count)")
        }
        var index = 0
        while index < count {
            guard labels[index] >= 0, labels[index] < classes else {
                throw .mismatch(
                    subject: "label of sample \(index)", expected: "0 ..< \(classes)", found: "\(labels[index])")
            }
            index += 1
        }
    }

    /// Throws unless the data set has images that fit the network's input, and as many classes as the network has
    /// outputs.
    func check(_ dataset: any Dataset) throws(TrainingError) {
        guard dataset.count > 0 else {
            throw .mismatch(subject: dataset.name, expected: "at least one image", found: "none")
        }
        guard dataset.imageShape == network.inputShape else {
            throw .mismatch(
                subject: dataset.name, expected: "images of \(network.inputShape), the network's input",
                found: "\(dataset.imageShape)")
        }
        guard dataset.classCount == network.outputShape.elementCount else {
            throw .mismatch(
                subject: dataset.name, expected: "\(network.outputShape.elementCount) classes, the network's outputs",
                found: "\(dataset.classCount)")
        }
    }
}
