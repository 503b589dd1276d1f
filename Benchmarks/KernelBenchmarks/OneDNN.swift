import COneDNN

extension ConvolutionShape {
    /// oneDNN's convolution of the same shape, for comparison. It has no linked activation, so it reads the linked
    /// tensor as stored, in a layout of its own choice; what conversions between layouts would cost isn't counted.
    func registerOneDNN() {
        guard onednn_available() else { return }
        let padding = padded ? max((outputSize - 1) * stride + kernel - size, 0) : 0
        let shape = onednn_shape(
            batch: Int64(Self.batch), channels: Int64(inputs), size: Int64(size), filters: Int64(filters),
            out_size: Int64(outputSize), kernel: Int64(kernel), stride: Int64(stride), pad_before: Int64(padding / 2),
            pad_after: Int64(padding - padding / 2))
        let xCount = Self.batch * size * size * inputs
        for (pass, label) in [
            (ONEDNN_FORWARD, "forward"), (ONEDNN_BACKWARD_DATA, "backward-data"),
            (ONEDNN_BACKWARD_WEIGHTS, "backward-weights"),
        ] where pass != ONEDNN_BACKWARD_DATA || channels > 3 {
            KernelCall(
                name: "\(name) \(label) oneDNN", operations: operations, floats: xCount + weightCount + yCount
            ).register {
                guard let convolution = onednn_convolution_create(shape, pass) else {
                    preconditionFailure("oneDNN has no \(label) for \(name)")
                }
                return { onednn_convolution_run(convolution) }
            }
        }
    }
}
