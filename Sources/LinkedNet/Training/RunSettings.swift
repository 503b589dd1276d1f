/// Everything that decides what a training run computes: two runs with equal settings give the same bits (on one
/// instruction set).
///
/// It is a run's memory: stored with its checkpoint, and enough to make its network again.
public struct RunSettings: Sendable, Hashable, Codable {
    /// Where those settings come from that nobody asked for.
    public var preset: Preset
    /// The network.
    public var model: ModelName
    /// The activation after its layers.
    public var activation: ModelActivation
    /// True for BatchNorm between each layer and its activation.
    public var batchNorm: Bool
    /// Every layer's units times √2.
    public var widened: Bool
    /// How the kernels of convolutions and hidden dense layers start.
    public var initializer: InitializerName
    /// How convolutions are computed.
    public var convolution: ConvolutionAlgorithm
    /// What ``DataSource/resolve(_:workingDirectory:)`` takes; `nil` for its default. A run has its
    /// ``DataSource/argument`` here, so `nil` for data of one's own.
    public var data: String?
    /// Train on this many images, the first.
    public var limit: Int?
    /// Test on this many images, the first.
    public var testLimit: Int?
    /// The number of epochs of the whole run.
    public var epochs: Int
    /// Images in a step.
    public var batchSize: Int
    /// The optimizer.
    public var optimizer: OptimizerName
    /// The learning rate before any schedule or decay.
    public var learningRate: Double
    /// Keras' time decay per update.
    public var decay: Double
    /// Nesterov's; 0 but for SGD.
    public var momentum: Double
    /// How the learning rate changes.
    public var schedule: LearningRateSchedule
    /// True for ``Augmentation/paper``.
    public var augments: Bool
    /// True if each epoch has an order of its own.
    public var shuffles: Bool
    /// What all random choices follow from.
    public var seed: UInt64

    /// Compiles the network for these images.
    ///
    /// - Throws: ``ShapeError`` if the model doesn't fit the images, ``OutOfMemory``.
    public func network(imageShape: Shape, classCount: Int) throws -> Network {
        try Network(model(classCount: classCount), input: imageShape, batch: batchSize, seed: seed)
    }

    /// Compiles the network whose weights are in a file. A file without them gets no memory for them.
    ///
    /// - Throws: ``WeightsMismatch``, ``CheckpointError`` if the file's settings are of no network, ``OutOfMemory``.
    func network(imageShape: Shape, classCount: Int, weights file: SafetensorsFile) throws -> Network {
        do {
            return try Network(model(classCount: classCount), input: imageShape, batch: batchSize, seed: seed) {
                weights in
                let mismatch = WeightsMismatch(file, weights)
                guard mismatch.isEmpty else { throw mismatch }
            }
        } catch let error as ShapeError {
            throw CheckpointError.content(
                path: file.path, offset: nil, expected: "the checkpoint of a run",
                found: "settings of no network: \(error)")
        }
    }

    /// What is compiled.
    func model(classCount: Int) -> any Model {
        model.model(
            ModelOptions(
                activation: activation, batchNorm: batchNorm, widened: widened, initializer: initializer.initializer,
                classes: classCount, convolution: convolution))
    }

    /// A trainer for `network`, at the beginning.
    ///
    /// - Throws: ``OptimizerError`` for settings that make no sense, ``OutOfMemory``.
    public func trainer(_ network: Network) throws -> Trainer {
        try Trainer(network, optimizer: makeOptimizer(), schedule: schedule)
    }

    /// The optimizer, with the epsilons of the paper's time.
    func makeOptimizer() throws(OptimizerError) -> any Optimizer {
        switch optimizer {
        case .sgd:
            try SGD(learningRate: learningRate, momentum: momentum, nesterov: momentum > 0, decay: decay)
        case .adam: try Adam(learningRate: learningRate, epsilon: 1e-8, decay: decay)
        case .rmsProp: try RMSProp(learningRate: learningRate, epsilon: 1e-8, decay: decay)
        }
    }

    /// The images to train on, of those that there are.
    public func trainingImages(of source: DataSource) -> any Dataset {
        limit.map { source.train.prefix($0) } ?? source.train
    }

    /// The images to test on, of those that there are.
    public func testImages(of source: DataSource) -> any Dataset {
        testLimit.map { source.test.prefix($0) } ?? source.test
    }

    /// The order of each epoch.
    public var sampler: Sampler { shuffles ? .shuffled : .fileOrder }

    /// Random changes to the training images.
    public var augmentation: Augmentation { augments ? .paper : .none }
}

/// Encoded as the name that commands take.
extension ModelActivation: Codable {}

/// One line for people.
extension RunSettings: CustomStringConvertible {
    public var description: String {
        var parts = ["\(model)", activation.rawValue]
        if batchNorm { parts.append("BatchNorm") }
        if widened { parts.append("√2 units") }
        parts.append(initializer.rawValue)
        if convolution != .automatic { parts.append("\(convolution.rawValue) convolutions") }
        parts.append("batch size \(batchSize)")
        parts.append("\(optimizer.rawValue) \(learningRate)")
        if momentum > 0 { parts.append("momentum \(momentum)") }
        if decay > 0 { parts.append("decay \(decay)") }
        if schedule != .constant { parts.append("schedule \(schedule.text ?? "\(schedule)")") }
        parts.append(augments ? "augmented" : "not augmented")
        parts.append(shuffles ? "shuffled" : "in file order")
        if let limit { parts.append("first \(limit) images") }
        if let testLimit { parts.append("tested on the first \(testLimit)") }
        parts.append("\(epochs) epochs")
        parts.append("seed \(seed)")
        return "\(preset.rawValue) settings: \(parts.joined(separator: ", "))"
    }
}
