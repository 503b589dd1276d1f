/// An activation computed by a node of its own, for readers that can't form the activation as they read. Parameter:
/// the activation's slopes, if any.
struct ActivationOperation: NodeOperation {
    private let kernel: ActivationKernel
    private let input: FusedInput

    init(_ pending: PendingActivation, name: String) throws(ShapeError) {
        let z = Value(shape: [], tensor: TensorID(index: 0), activation: pending)
        input = FusedInput(z, plainChannels: pending.channels)
        kernel = try ActivationKernel(
            pending.function, positions: pending.positions, channels: pending.channels, subject: name)
    }

    var activationMemberCount: Int? { input.function.members.count }

    var label: String { "Activation \(input.function.label)" }

    var isSamplewise: Bool { true }

    /// The activation, if it maps elements one to one and has no slopes.
    var elementFunction: FusibleActivation? {
        input.function.members.count == 1 && input.function.slopedMemberCount == 0 ? input.function : nil
    }

    func scratchBytes(batch: Int) -> Int { kernel.scratchBytes(batch: batch) }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), slopes = input.readSlopes(&step), out = step.writeOutput()
            return { [kernel] call in
                kernel.forward(batch: call.batch, z: call[z], slopes: call[ifAny: slopes], out: call[out])
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let zGradient = step.writeInputGradient(), slopesGradient = input.writeSlopesGradient(&step)
            guard zGradient != nil || slopesGradient != nil else { return nil }
            let z = step.readInput(), slopes = input.readSlopes(&step), outGradient = step.readOutputGradient()
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, z: call[z], slopes: call[ifAny: slopes], outGradient: call[outGradient],
                    zGradient: call[ifAny: zGradient], accumulate: zGradient.accumulates,
                    slopesGradient: call[ifAny: slopesGradient], scratch: call.scratch)
            }
        }
    }
}
