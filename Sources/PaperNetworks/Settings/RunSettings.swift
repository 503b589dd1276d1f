import LinkedNet

/// All values that decide the results of a training of one of these networks. Two runs with equal settings give the
/// same bits on one instruction set. ``Settings`` declares the settings: `settings.batchSize`.
///
/// A run's checkpoint stores the settings. The settings are enough to make the run's network again.
@dynamicMemberLookup
public struct RunSettings: Sendable, Hashable {
    private var values = SettingValues()

    /// Settings without values. The caller sets the value of every setting.
    init() {}

    /// The value of a setting.
    public subscript<Value>(dynamicMember path: KeyPath<Settings, Setting<Value>>) -> Value {
        get { self[Settings.declared[keyPath: path]] }
        set { self[Settings.declared[keyPath: path]] = newValue }
    }

    subscript<Value>(setting: Setting<Value>) -> Value {
        get {
            guard let value: Value = values[setting.key] else {
                preconditionFailure("settings are made with a value for each setting")
            }
            return value
        }
        set { values[setting.key] = newValue }
    }
}

/// Values of settings by their keys.
struct SettingValues: Sendable, Hashable {
    private struct Element: Sendable, Hashable {
        let value: any Hashable & Sendable

        static func == (one: Element, other: Element) -> Bool { AnyHashable(one.value) == AnyHashable(other.value) }
        func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(value)) }
    }

    private var elements: [String: Element] = [:]

    subscript<Value: Hashable & Sendable>(key: String) -> Value? {
        get {
            // A cast of nothing to a type that may be nil would succeed, and count as a value.
            guard let element = elements[key] else { return nil }
            return element.value as? Value
        }
        set { elements[key] = newValue.map { Element(value: $0) } }
    }
}

// MARK: Network, trainer, images

extension RunSettings {
    /// Compiles the network for these images.
    ///
    /// - Throws: ``ShapeError`` if the model doesn't fit the images, ``OutOfMemory``.
    public func network(imageShape: Shape, classCount: Int) throws -> Network {
        try Network(makeModel(classCount: classCount), input: imageShape, batch: self.batchSize, seed: self.seed)
    }

    /// The model that is compiled.
    func makeModel(classCount: Int) -> any Model {
        self.model.model(
            ModelOptions(
                activation: self.activation, batchNorm: self.batchNorm, dropout: self.dropout, widened: self.widened,
                initializer: self.initializer.initializer, classes: classCount, convolution: self.convolution))
    }

    /// A trainer for `network`, at the beginning.
    ///
    /// - Throws: ``OptimizerError`` for settings that make no sense, ``OutOfMemory``.
    public func trainer(_ network: Network) throws -> Trainer {
        try Trainer(network, optimizer: makeOptimizer(), schedule: self.schedule)
    }

    /// The optimizer, with the epsilons of the paper's time.
    func makeOptimizer() throws(OptimizerError) -> any Optimizer {
        switch self.optimizer {
        case .sgd:
            try SGD(
                learningRate: self.learningRate, momentum: self.momentum, nesterov: self.momentum > 0,
                decay: self.decay)
        case .adam: try Adam(learningRate: self.learningRate, epsilon: 1e-8, decay: self.decay)
        case .rmsProp: try RMSProp(learningRate: self.learningRate, epsilon: 1e-8, decay: self.decay)
        }
    }

    /// A probe for a network that these settings made.
    ///
    /// - Throws: ``ShapeError`` if other settings made the network, ``OutOfMemory``.
    public func probe(of network: Network) throws -> ActivationProbe {
        try ActivationProbe(makeModel(classCount: network.outputShape.elementCount), of: network)
    }

    /// The images of `source` to train on.
    public func trainingImages(of source: DataSource) -> any Dataset {
        self.limit.map { source.train.prefix($0) } ?? source.train
    }

    /// The images of `source` to test on.
    public func testImages(of source: DataSource) -> any Dataset {
        self.testLimit.map { source.test.prefix($0) } ?? source.test
    }

    /// The order of each epoch.
    public var sampler: Sampler { self.shuffles ? .shuffled : .fileOrder }

    /// Random changes to the training images.
    public var augmentation: Augmentation { self.augments ? .paper : .none }
}

/// One line for people.
extension RunSettings: CustomStringConvertible {
    public var description: String {
        "\(self.preset.rawValue) settings: \(Settings.stored.compactMap { $0.phrase(self) }.joined(separator: ", "))"
    }
}
