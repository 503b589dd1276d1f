/// The rule by which parameters follow their gradients.
///
/// An optimizer is a description without memory. The trainer owns, saves and restores the optimizer's slots: flat
/// arrays laid out like the parameters, zero at first. An optimizer of your own conforms to this protocol. The
/// optimizer's stored properties are its settings in a saved run, unless the optimizer implements ``SelfDescribing``
/// itself.
public protocol Optimizer: SelfDescribing, Sendable {
    /// The learning rate before any schedule or decay.
    var learningRate: Double { get }

    /// Keras' time decay d: update t, counted from 0, uses learningRate / (1 + d·t).
    var decay: Double { get }

    /// The names of the slots, for checkpoints.
    var slotNames: [String] { get }

    /// True if the update of each element depends on this element's parameter, gradient and slots alone. The trainer
    /// may then make a step's update in several calls of ``update(_:)``, each for a stretch of the parameters, while
    /// the network still computes gradients of other parameters.
    var isElementwise: Bool { get }

    /// Changes the parameters.
    func update(_ parameters: ParameterUpdate)
}

extension Optimizer {
    public var isElementwise: Bool { false }
}

/// One update: flat arrays of `count` elements. The elements include the gaps between parameters, which hold zeros and
/// may be updated, too.
public struct ParameterUpdate {
    /// The number of elements in each array.
    public let count: Int
    /// The parameters that the update changes.
    public let parameters: MutableElementView
    /// The gradients, before ``gradientScale``.
    public let gradients: ElementView
    /// The slots in the order of ``Optimizer/slotNames``.
    public let slots: [MutableElementView]
    /// The number of updates before this update.
    public let step: Int
    /// The rate of this update: schedule and decay are included.
    public let learningRate: Double
    /// The factor that the optimizer applies to the gradients first; below 1 if the gradients are clipped.
    public let gradientScale: Float

    /// An update for an ``Optimizer``.
    ///
    /// - Parameters:
    ///   - parameters: the parameters; gradients and slots have as many elements.
    ///   - gradients: the gradients, before `gradientScale`.
    ///   - slots: in the order of ``Optimizer/slotNames``.
    ///   - step: the number of updates before this update.
    ///   - learningRate: the rate of this update.
    ///   - gradientScale: the factor that the optimizer applies to the gradients first.
    public init(
        parameters: MutableElementView, gradients: ElementView, slots: [MutableElementView], step: Int,
        learningRate: Double, gradientScale: Float = 1
    ) {
        count = parameters.count
        precondition(gradients.count == count, "as many gradients as parameters")
        for index in slots.indices { precondition(slots[index].count == count, "slots as large as the parameters") }
        self.parameters = parameters
        self.gradients = gradients
        self.slots = slots
        self.step = step
        self.learningRate = learningRate
        self.gradientScale = gradientScale
    }
}

/// An optimizer's setting that is out of range.
public struct OptimizerError: Error, Equatable, CustomStringConvertible {
    /// The setting, for example `momentum`.
    public let setting: String
    /// A description of a correct setting.
    public let expected: String
    /// The setting that was found.
    public let found: String

    public var description: String { "\(setting): expected \(expected), found \(found)" }

    /// Throws unless `value` lies in `range`, in double precision and in single precision, because the kernels read the
    /// value in single precision.
    static func check(_ setting: String, _ value: Double, in range: Range<Double>) throws(OptimizerError) {
        guard range.contains(value), range.contains(Double(Float(value))) else {
            let upper = range.upperBound == .infinity ? "finite" : "below \(range.upperBound)"
            let precision = range.contains(value) ? " in single precision" : ""
            throw OptimizerError(
                setting: setting, expected: "at least \(range.lowerBound) and \(upper)\(precision)", found: "\(value)")
        }
    }
}
