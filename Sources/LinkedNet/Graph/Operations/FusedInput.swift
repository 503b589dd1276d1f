/// The input of an operation that forms a pending activation while it reads: the activation, and the places of the
/// slopes and their gradients.
struct FusedInput: Sendable {
    let function: FusibleActivation
    /// The stored pre-activation z is [positions][channels].
    let positions, channels: Int

    /// True if the activation has learned slopes.
    let hasSlopes: Bool

    /// - Parameter plainChannels: the number of channels with which the reader reads a value without a pending
    ///   activation: [elements / plainChannels][plainChannels].
    init(_ value: Value, plainChannels: Int) {
        if let activation = value.activation {
            function = activation.function
            positions = activation.positions
            channels = activation.channels
            hasSlopes = activation.slopes != nil
        } else {
            function = .identity
            positions = value.shape.elementCount / plainChannels
            channels = plainChannels
            hasSlopes = false
        }
    }

    /// The fused activation's part of the summary's label, for example ` ← mirrored relu`.
    var label: String {
        function == .identity ? "" : " ← \(function.label)"
    }

    /// The slopes, which are the node's last parameter.
    func readSlopes(_ step: inout StepBuilder) -> Readable<Float>? {
        hasSlopes ? step.readParameter(step.node.parameters.count - 1) : nil
    }

    /// The memory for the gradients of the slopes.
    func writeSlopesGradient(_ step: inout StepBuilder) -> Writable<Float>? {
        hasSlopes ? step.writeParameterGradient(step.node.parameters.count - 1) : nil
    }
}

extension FusibleActivation {
    /// A short name for summaries: `relu`, `mirrored relu`, `(relu, −relu(−z))`.
    var label: String {
        if members.count == 2, members[0].function == members[1].function,
            members[0].inputScale == 1, members[1].inputScale == -1,
            members.allSatisfy({ $0.outputScale == 1 })
        {
            return "mirrored \(members[0].function.label)"
        }
        let names = members.map { member in
            let argument = member.inputScale == 1 ? "" : member.inputScale == -1 ? "(−z)" : "(\(member.inputScale)·z)"
            let factor = member.outputScale == 1 ? "" : member.outputScale == -1 ? "−" : "\(member.outputScale)·"
            return factor + member.function.label + argument
        }
        return names.count == 1 ? names[0] : "(" + names.joined(separator: ", ") + ")"
    }
}
