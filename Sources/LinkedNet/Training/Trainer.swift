/// Trains a network: owns the loop, the optimizer's memory and the position in the run.
///
/// ```swift
/// let network = try Network(model, input: [32, 32, 3], batch: 32, seed: 1)
/// let trainer = try Trainer(network, optimizer: SGD(momentum: 0.9, nesterov: true, decay: 1e-6))
/// try trainer.fit(train, test: test, epochs: 10)
/// print(try trainer.evaluate(test).accuracy)
/// ```
///
/// A trainer is not thread-safe, and nobody else may use its network meanwhile: see ``Network``.
public final class Trainer {
    /// The network that is trained.
    public let network: Network
    /// How parameters follow their gradients.
    public let optimizer: any Optimizer
    /// The loss that training makes small.
    public let loss: any Loss
    /// How the learning rate changes.
    public var schedule: LearningRateSchedule
    /// The Euclidean norm of all gradients together above which they are scaled down to it; `nil` never does.
    public let gradientClipNorm: Double?
    /// The observers, in the order in which they are told how training goes.
    public var observers: [any TrainingObserver]
    /// How far training is. Changes with every step.
    public internal(set) var position = TrainingPosition()

    /// The optimizer's slots, in the order of its names, each laid out as ``Network/parameterLayout``.
    let slots: [AlignedStorage<Float>]
    /// The states before the running step, so that a step that fails leaves none of its traces.
    private let stateBackup: AlignedStorage<Float>
    let passes: TrainingMicroBatches
    private let updater: ParameterUpdater

    /// A trainer at the beginning of a run.
    ///
    /// - Parameters:
    ///   - network: what to train; its weights are changed in place.
    ///   - optimizer: how parameters follow their gradients.
    ///   - loss: the function to minimise.
    ///   - schedule: how the learning rate changes.
    ///   - gradientClipNorm: more than 0.
    ///   - observers: who is told how training goes.
    /// - Throws: ``OptimizerError`` for a norm that isn't more than 0, or for two slots of one name, ``OutOfMemory`` if
    ///   there is none for the slots.
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
    /// If the loss isn't finite, or a gradient isn't while clipping, parameters, states and slots stay as they were.
    /// Without clipping, a gradient that isn't finite makes weights NaN or infinite: ``checkWeights()`` finds them.
    ///
    /// - Parameters:
    ///   - pixels: [samples] + ``Network/inputShape``.
    ///   - labels: 1 … ``Network/batchSize`` samples, each of `0 ..< classes`.
    ///   - stepsPerEpoch: for schedules that need it.
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

    /// The learning rate of the next step: the optimizer's, times the schedule's factor, divided by 1 + decay·t.
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

    /// Throws unless the network can take the data set's images and tell its classes apart.
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
