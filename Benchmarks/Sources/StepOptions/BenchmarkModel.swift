public import ArgumentParser
public import LinkedNet
public import PaperNetworks

/// A network that is timed, by name.
public enum BenchmarkModel: Hashable, Sendable, LosslessStringConvertible, ExpressibleByArgument {
    case paper(ModelName)
    case general(GeneralModel)

    /// The names that ``init(_:)`` takes, in a few words.
    public static let options =
        "\(ModelName.options); or \(GeneralModel.allCases.map(\.rawValue).joined(separator: ", "))"

    public init?(_ name: String) {
        if let model = ModelName(name) {
            self = .paper(model)
        } else if let model = GeneralModel(rawValue: name) {
            self = .general(model)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .paper(let model): "\(model)"
        case .general(let model): model.rawValue
        }
    }

    /// The shape of an image.
    public var input: Shape {
        switch self {
        case .paper: [32, 32, 3]
        case .general(let model): model.input
        }
    }

    /// The network; `options` are for the paper's models.
    public func network(_ options: ModelOptions, batch: Int) throws -> Network {
        switch self {
        case .paper(let name): try Network(name.model(options), input: input, batch: batch, seed: 100)
        case .general(let general): try Network(general.model(), input: input, batch: batch, seed: 100)
        }
    }

    /// An optimizer of the kind that the model is trained with.
    public func optimizer(linked: Bool) throws -> any Optimizer {
        guard case .paper(let name) = self else {
            return try SGD(learningRate: 1e-6, momentum: 0.9, nesterov: true)
        }
        let experiment = name.experiment(linked: linked)
        // The rate takes no time, and with the experiment's own some activations explode on random labels.
        let rate = experiment.learningRate * 1e-3
        return switch experiment.optimizer {
        case .sgd:
            try SGD(
                learningRate: rate, momentum: experiment.momentum, nesterov: experiment.momentum > 0,
                decay: experiment.decay)
        case .adam: try Adam(learningRate: rate, decay: experiment.decay)
        case .rmsProp: try RMSProp(learningRate: rate, decay: experiment.decay)
        }
    }
}
