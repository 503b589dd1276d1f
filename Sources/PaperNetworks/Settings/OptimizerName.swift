import LinkedNet

/// The optimizers, by the names that commands take.
public enum OptimizerName: String, Sendable, Hashable, Codable, CaseIterable {
    /// ``SGD``
    case sgd
    /// ``Adam``
    case adam
    /// ``RMSProp``
    case rmsProp = "rmsprop"

    /// Keras' default learning rate, for another optimizer than the experiment's.
    var defaultLearningRate: Double { self == .sgd ? 0.01 : 1e-3 }
}
