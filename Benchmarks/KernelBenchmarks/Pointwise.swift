import CKernels

extension ConvolutionShape {
    /// The kernels for 1×1 convolutions, for shapes that they take. Their backward pass gives both gradients in one
    /// sweep.
    func registerPointwise() {
        let descriptor = descriptor()
        guard withUnsafePointer(to: descriptor, { ck_pointwise_check($0) }) else { return }
        KernelCall(
            name: "\(name) forward pointwise", operations: operations, floats: zCount + weightCount + yCount
        ).register {
            var descriptor = descriptor
            let z = Floats(zCount), weights = Floats(weightCount), bias = Floats(filters), y = Floats(yCount)
            let scratch = Floats(bytes: ck_pointwise_scratch(&descriptor))
            return {
                ck_pointwise_forward(
                    &descriptor, z.pointer, weights.pointer, bias.pointer, nil, y.pointer, nil, scratch.pointer)
            }
        }
        KernelCall(
            name: "\(name) backward pointwise", operations: 2 * operations,
            floats: 2 * zCount + 2 * weightCount + yCount
        ).register {
            var descriptor = descriptor
            let z = Floats(zCount), weights = Floats(weightCount), dy = Floats(yCount)
            let dz = Floats(zCount), dweights = Floats(weightCount), dbias = Floats(filters)
            let scratch = Floats(bytes: ck_pointwise_scratch(&descriptor))
            return {
                ck_pointwise_backward(
                    &descriptor, z.pointer, weights.pointer, dy.pointer, nil, nil, dz.pointer, false, dweights.pointer,
                    dbias.pointer, scratch.pointer)
            }
        }
    }
}
