import Foundation

/// Neurons that share one pre-activation z. For every z, at least one of the neurons has a non-zero gradient (Riera et
/// al., "Solving internal covariate shift in deep learning with linked neurons").
///
/// The initialisers check this condition, unless the condition is known to hold. Each member gives as many channels as
/// z has. The channels lie side by side, member after member.
public struct Linkage: Sendable {
    /// One neuron of a linkage: outputScale·g(inputScale·z).
    public struct Member: Sendable {
        /// g
        public var function: ActivationFunction
        /// The factor of z; −1 mirrors the member.
        public var inputScale: Float
        /// The factor of g.
        public var outputScale: Float

        /// outputScale·g(inputScale·z)
        public init(_ function: ActivationFunction, inputScale: Float = 1, outputScale: Float = 1) {
            self.function = function
            self.inputScale = inputScale
            self.outputScale = outputScale
        }

        /// The derivative with respect to z.
        func derivative(_ z: Double) -> Double {
            Double(outputScale) * Double(inputScale) * function.derivative(Double(inputScale) * z)
        }
    }

    /// The members; at least one.
    public let members: [Member]

    /// Links any number of members.
    ///
    /// - Throws: ``LinkageError`` if there is no member, a scale isn't finite, or every member is flat on an interval
    ///   of z. The check samples about 8,000 points of −10,000 … 10,000, denser near 0. An interval counts if it holds
    ///   two of the points.
    public init(_ members: [Member]) throws(LinkageError) {
        guard !members.isEmpty else { throw .noMembers }
        for member in members where !member.inputScale.isFinite || !member.outputScale.isFinite {
            throw .scaleNotFinite(function: member.function.name)
        }
        if let interval = Self.flatInterval(of: members) {
            throw .flat(interval: interval, functions: members.map(\.function.name))
        }
        self.members = members
    }

    /// concat(g(z), g(−z)), the paper's linkage, of a function that the kernels know.
    public static func mirrored(_ function: BuiltInFunction) -> Linkage {
        let function = ActivationFunction(function)
        return Linkage(knownToBeLinked: [Member(function), Member(function, inputScale: -1)])
    }

    /// concat(g(z), g(−z)), the paper's linkage, of any function.
    ///
    /// - Throws: ``LinkageError`` if g is flat on both sides of 0 at the same distance.
    @_disfavoredOverload
    public static func mirrored(_ function: ActivationFunction) throws(LinkageError) -> Linkage {
        try Linkage([Member(function), Member(function, inputScale: -1)])
    }

    /// concat(max(z, 0), min(z, 0)).
    public static let minMax = Linkage(
        knownToBeLinked: [Member(.relu), Member(.relu, inputScale: -1, outputScale: -1)])

    private init(knownToBeLinked members: [Member]) {
        self.members = members
    }

    // MARK: The linking condition

    /// A smaller gradient counts as zero, because 32-bit training loses such a gradient. An exponential tail such as
    /// ELU's counts as flat from z ≈ −14 on.
    private static let smallestGradient = 1e-6

    private static func isFlat(_ members: [Member], at z: Double) -> Bool {
        // The negated comparison counts a derivative that is NaN as flat, too.
        members.allSatisfy { !(abs($0.derivative(z)) >= smallestGradient) }
    }

    /// The first interval of sampled points on which every member is flat.
    private static func flatInterval(of members: [Member]) -> ClosedRange<Double>? {
        // sinh spaces points by about 0.0025 near 0 and in proportion to |z| far out. The half step places kinks at
        // round numbers between points.
        let pointCount = 8_000
        let widest = asinh(10_000.0)
        var start: Double?
        var end = 0.0
        for index in 0..<pointCount {
            let z = sinh((2 * (Double(index) + 0.5) / Double(pointCount) - 1) * widest)
            if isFlat(members, at: z) {
                start = start ?? z
                end = z
            } else {
                if let start, end > start { return start...end }
                start = nil
            }
        }
        return start.flatMap { end > $0 ? $0...end : nil }
    }
}

/// The reason why members can't be linked.
public enum LinkageError: Error, Equatable, CustomStringConvertible {
    /// The list of members is empty.
    case noMembers
    /// A member's scale is NaN or infinite.
    case scaleNotFinite(function: String)
    /// Every member's derivative vanishes for all sampled z of `interval`.
    case flat(interval: ClosedRange<Double>, functions: [String])

    public var description: String {
        switch self {
        case .noMembers: return "linkage: expected at least one member, found none"
        case .scaleNotFinite(let function):
            return "linkage: expected finite scales, found one of \(function) that isn't"
        case .flat(let interval, let functions):
            func text(_ z: Double) -> String { abs(z) >= 9_900 ? (z < 0 ? "−∞" : "∞") : String(format: "%.3g", z) }
            return
                "linkage of \(functions.joined(separator: ", ")): "
                + "expected a member with a non-zero gradient for every z, "
                + "found all of them flat from \(text(interval.lowerBound)) to \(text(interval.upperBound))"
        }
    }
}
