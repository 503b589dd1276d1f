/// How parameters follow their gradients.
///
/// An optimizer is a description; what it remembers from step to step lives in slots that the trainer owns, saves and
/// restores: flat arrays laid out like the parameters, zero at first. An optimizer of your own conforms to this
/// protocol. Its stored properties are its settings in a saved run, unless it describes itself: ``SelfDescribing``.
public protocol Optimizer: SelfDescribing, Sendable {
    /// The learning rate before any schedule or decay.
    var learningRate: Double { get }

    /// Keras' time decay d: update t, counted from 0, uses learningRate / (1 + d·t).
    var decay: Double { get }

    /// The names of the slots, for checkpoints.
    var slotNames: [String] { get }

    /// True if what becomes of each element depends on that element's own parameter, gradient and slots alone. A step's
    /// update then may come in several calls of ``update(_:)``, each for a stretch of the parameters, while gradients
    /// of others are still being computed.
    var isElementwise: Bool { get }

    /// Changes the parameters.
    func update(_ parameters: ParameterUpdate)
}

extension Optimizer {
    public var isElementwise: Bool { false }
}

/// One update: flat arrays of `count` elements, the gaps between parameters included (they hold zeros and may be
/// updated too).
public struct ParameterUpdate {
    /// The number of elements in each array.
    public let count: Int
    /// What is to be changed.
    public let parameters: MutableElementView
    /// The gradients, before ``gradientScale``.
    public let gradients: ElementView
    /// In the order of ``Optimizer/slotNames``.
    public let slots: [MutableElementView]
    /// How many updates came before this one.
    public let step: Int
    /// The rate of this update: schedule and decay are in it.
    public let learningRate: Double
    /// What the gradients are to be multiplied by first; below 1 when they are clipped.
    public let gradientScale: Float

    /// An update for an ``Optimizer``.
    ///
    /// - Parameters:
    ///   - parameters: the parameters; gradients and slots have as many elements.
    ///   - gradients: the gradients, before `gradientScale`.
    ///   - slots: in the order of ``Optimizer/slotNames``.
    ///   - step: how many updates came before this one.
    ///   - learningRate: the rate of this update.
    ///   - gradientScale: what the gradients are to be multiplied by first.
    public init(
        parameters: MutableElementView, gradients: ElementView, slots: [MutableElementView], step: Int,
        learningRate: Double, gradientScale: Float = 1
    ) {
        count = parameters.count
        self.parameters = parameters
        self.gradients = gradients
        self.slots = slots
        self.step = step
        self.learningRate = learningRate
        self.gradientScale = gradientScale
    }
}

/// An optimizer's setting that makes no sense.
public struct OptimizerError: Error, Equatable, CustomStringConvertible {
    /// The setting, for example `momentum`.
    public let setting: String
    /// What would have been right.
    public let expected: String
    /// What was found.
    public let found: String

    public var description: String { "\(setting): expected \(expected), found \(found)" }

    /// Throws unless `value` lies in `range`, in single precision as well, which the kernels have it in.
    static func check(_ setting: String, _ value: Double, in range: Range<Double>) throws(OptimizerError) {
        guard range.contains(value), range.contains(Double(Float(value))) else {
            let upper = range.upperBound == .infinity ? "finite" : "below \(range.upperBound)"
            let precision = range.contains(value) ? " in single precision" : ""
            throw OptimizerError(
                setting: setting, expected: "at least \(range.lowerBound) and \(upper)\(precision)", found: "\(value)")
        }
    }
}
