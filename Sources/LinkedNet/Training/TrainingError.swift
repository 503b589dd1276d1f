/// The reason why training can't begin or go on.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// Something doesn't fit the network or the training: a data set, a batch, a label, a position, an observer.
    case mismatch(subject: String, expected: String, found: String)
    /// The loss or its inputs are NaN or infinite; the step changed no weight. Or the step made a weight or the test's
    /// loss NaN or infinite; the weight stays, and nothing is saved.
    ///
    /// - Parameters:
    ///   - layer: the path of the first layer concerned; `input` or `loss` if no layer is concerned.
    ///   - cause: the part of the layer that isn't finite.
    ///   - step: the number of the step, counted from 1.
    ///   - epoch: the number of the epoch, counted from 1.
    case nonFinite(layer: String, cause: NonFiniteCause, step: Int, epoch: Int)

    public var description: String {
        switch self {
        case .mismatch(let subject, let expected, let found):
            "\(subject.printable()): expected \(expected.printable()), found \(found.printable())"
        case .nonFinite(let layer, let cause, let step, let epoch):
            "training stopped at step \(step), epoch \(epoch): \(cause.text(layer: layer)) NaN or infinite values"
        }
    }
}

/// The part of a layer that has NaN or infinite values.
public enum NonFiniteCause: Equatable, Sendable {
    /// A parameter.
    case parameter(name: String)
    /// A state, such as BatchNorm's running statistics.
    case state(name: String)
    /// The layer's output, though the layer's input and parameters are finite.
    case output
    /// The gradient of a parameter, though the loss is finite.
    case gradient(name: String)

    fileprivate func text(layer: String) -> String {
        switch self {
        case .parameter(let name): "layer \(layer): its parameter \(name) has"
        case .state(let name): "layer \(layer): its state \(name) has"
        case .output: layer == "input" || layer == "loss" ? "the \(layer) has" : "layer \(layer): its output has"
        case .gradient(let name): "layer \(layer): the gradient of \(name) has"
        }
    }
}
