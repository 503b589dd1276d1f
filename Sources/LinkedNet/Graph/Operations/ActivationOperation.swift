/// An operation that computes the members of an activation, member after member.
protocol ActivationNode: Operation {
    /// 1 if it isn't linked.
    var memberCount: Int { get }
}

/// An activation computed by a node of its own, for consumers that can't form it as they read. Parameter: its slopes,
/// if any.
struct ActivationOperation: ActivationNode {
    private let kernel: ActivationKernel
    private let input: FusedInput

    init(_ pending: PendingActivation, name: String) throws(ShapeError) {
        let z = Value(shape: [], tensor: TensorID(index: 0), activation: pending)
        input = FusedInput(z, plainChannels: pending.channels)
        kernel = try ActivationKernel(
            pending.function, positions: pending.positions, channels: pending.channels, subject: name)
    }

    var memberCount: Int { input.function.members.count }

    var label: String { "Activation \(input.function.label)" }

    var treatsSamplesAlone: Bool { true }

    /// The activation, if it maps elements one to one and has no slopes.
    var elementFunction: FusibleActivation? {
        input.function.members.count == 1 && input.function.slopedMemberCount == 0 ? input.function : nil
    }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func forward(_ context: OperationContext) {
        kernel.forward(
            batch: context.batch, z: context.input(), slopes: input.slopes(context, after: 0), out: context.output)
    }

    func backward(_ context: OperationContext) {
        let zGradient = context.inputGradient()
        let slopesGradient = input.slopesGradient(context, after: 0)
        guard zGradient != nil || slopesGradient != nil else { return }
        kernel.backward(
            batch: context.batch, z: context.input(), slopes: input.slopes(context, after: 0),
            outGradient: context.outputGradient, zGradient: zGradient,
            accumulate: context.accumulatesInputGradient(), slopesGradient: slopesGradient, scratch: context.scratch)
    }
}
