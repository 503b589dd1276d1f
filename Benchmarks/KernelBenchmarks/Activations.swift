import CKernels

private let batch = ConvolutionShape.batch

/// Activations that no convolution or dense layer reads: before the extended network's poolings, and after ResNet50's
/// sums, linked and plain.
func registerActivations() {
    register("extended", .linked, channels: 32, positions: 900)
    register("extended", .linked, channels: 64, positions: 169)
    register("resnet50", .relu, channels: 64, positions: 1024)
    register("resnet50", .relu, channels: 64, positions: 256)
    register("resnet50", .relu, channels: 128, positions: 64)
    register("resnet50", .relu, channels: 128, positions: 16)
}

private func register(_ network: String, _ activation: ActivationKind, channels: Int, positions: Int) {
    let count = batch * positions * channels, outputs = count * activation.members
    let shape = ck_activation_shape(
        batch: Int64(batch), positions: Int64(positions), channels: Int64(channels), activation: activation.descriptor)
    let name = "\(network) activation \(channels)→\(channels * activation.members), \(positions) positions"
    KernelCall(name: "\(name) forward", operations: Double(outputs), floats: count + outputs).register {
        var shape = shape
        let z = Floats(count), out = Floats(outputs)
        return { ck_activation_forward(&shape, z.pointer, nil, out.pointer) }
    }
    KernelCall(name: "\(name) backward", operations: Double(2 * outputs), floats: 2 * count + outputs).register {
        var shape = shape
        let z = Floats(count), dout = Floats(outputs), dz = Floats(count)
        let scratch = Floats(bytes: ck_activation_backward_scratch(&shape))
        return {
            ck_activation_backward(&shape, z.pointer, nil, dout.pointer, dz.pointer, false, nil, scratch.pointer)
        }
    }
}
