/// A tensor that an operation adds, under an activation, to its output: the shortcut of a residual block.
struct Addend: Sendable {
    let activation: FusibleActivation
    let elementCount: Int
    /// True if a 1×1 convolution that reads the same activation adds the addend's gradient.
    var gradientIsTaken = false
    private let kernel: ActivationKernel

    /// - Throws: ``ShapeError`` naming `name` if the kernels refuse the activation.
    init(activation: FusibleActivation, elementCount: Int, name: String) throws(ShapeError) {
        self.activation = activation
        self.elementCount = elementCount
        kernel = try ActivationKernel(activation, positions: 1, channels: elementCount, subject: name)
    }

    /// Adds the step that computes the gradient of the addend, input `input`, from the gradient of the sum.
    func addBackward(to steps: inout NodeSteps, input: Int) {
        guard !gradientIsTaken else { return }
        steps.add("gradient of the shortcut") { step in
            guard let gradient = step.writeInputGradient(input) else { return nil }
            let sumGradient = step.readOutputGradient()
            guard activation != .identity else {
                return { [elementCount] call in
                    Elementwise.copy(
                        count: call.batch * elementCount, call[sumGradient], out: call[gradient],
                        accumulate: gradient.accumulates)
                }
            }
            let z = step.readInput(input)
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, z: call[z], slopes: nil, outGradient: call[sumGradient],
                    zGradient: call[gradient], accumulate: gradient.accumulates, slopesGradient: nil,
                    scratch: call.scratch)
            }
        }
    }
}

/// An operation that can add a tensor of its output's shape to its output.
protocol AddendTaking: NodeOperation {
    /// The operation with an addend as its last input; `nil` if the operation already has an addend.
    func adding(_ addend: Addend) -> (any NodeOperation)?
}
