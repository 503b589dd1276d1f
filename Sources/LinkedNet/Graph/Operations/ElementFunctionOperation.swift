/// A scalar function given in Swift, with its derivative.
public struct ElementFunction: Sendable {
    /// A short name, for summaries and errors.
    public let name: String
    /// g(z)
    public let value: @Sendable (Float) -> Float
    /// g′(z)
    public let derivative: @Sendable (Float) -> Float

    /// - Parameters:
    ///   - name: a short name, for summaries and errors.
    ///   - value: g(z); may be called from several threads at once.
    ///   - derivative: g′(z).
    public init(
        name: String, value: @escaping @Sendable (Float) -> Float, derivative: @escaping @Sendable (Float) -> Float
    ) {
        self.name = name
        self.value = value
        self.derivative = derivative
    }
}

/// Members of an activation given as Swift functions, side by side as channels: for functions that the kernels don't
/// know. The thread that runs the pass computes one element at a time.
struct ElementFunctionOperation: NodeOperation {
    struct Member {
        let function: ElementFunction
        let inputScale, outputScale: Float
    }

    let members: [Member]
    let positions, channels: Int

    var activationMemberCount: Int? { members.count }

    var label: String { "Activation " + members.map(\.function.name).joined(separator: ", ") }

    var identity: String {
        "Activation "
            + members.map { "\($0.outputScale)·\($0.function.name)(\($0.inputScale)·z)" }.joined(separator: ", ")
    }

    var isSamplewise: Bool { true }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), out = step.writeOutput()
            return { [self] call in forward(batch: call.batch, z: call[z], out: call[out]) }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            guard let zGradient = step.writeInputGradient() else { return nil }
            let z = step.readInput(), outGradient = step.readOutputGradient()
            return { [self] call in
                backward(
                    batch: call.batch, z: call[z], outGradient: call[outGradient], zGradient: call[zGradient],
                    accumulate: zGradient.accumulates)
            }
        }
    }

    private func forward(batch: Int, z: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>) {
        for position in 0..<batch * positions {
            for index in members.indices {
                let member = members[index]
                let target = out + (position * members.count + index) * channels
                for channel in 0..<channels {
                    let argument = member.inputScale * z[position * channels + channel]
                    target[channel] = member.outputScale * member.function.value(argument)
                }
            }
        }
    }

    private func backward(
        batch: Int, z: UnsafePointer<Float>, outGradient: UnsafePointer<Float>,
        zGradient: UnsafeMutablePointer<Float>, accumulate: Bool
    ) {
        for position in 0..<batch * positions {
            for channel in 0..<channels {
                let element = position * channels + channel
                var sum: Float = accumulate ? zGradient[element] : 0
                for index in members.indices {
                    let member = members[index]
                    let slope = member.function.derivative(member.inputScale * z[element])
                    sum +=
                        member.outputScale * member.inputScale * slope
                        * outGradient[(position * members.count + index) * channels + channel]
                }
                zGradient[element] = sum
            }
        }
    }
}
