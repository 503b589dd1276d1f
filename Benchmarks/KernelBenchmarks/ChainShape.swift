import CKernels

/// Equal convolutions with mirrored ReLU that run as one chain: the depth network's.
struct ChainShape {
    let layer: ConvolutionShape
    let count: Int

    static let all = [ChainShape(layer: ConvolutionShape("depth", 4, .linked, to: 4, at: 16), count: 50)]

    private var name: String { "\(layer.name) ×\(count)" }

    func register() {
        let operations = layer.operations * Double(count)
        // Between the layers nothing has to leave the cache but what backward needs.
        let floats = layer.yCount * (count + 1) + layer.weightCount * count
        KernelCall(name: "\(name) forward chain", operations: operations, floats: floats).register { calls().forward }
        KernelCall(name: "\(name) backward chain", operations: 2 * operations, floats: floats).register {
            let calls = calls()
            calls.forward()
            return calls.backward
        }
    }

    private func calls() -> (forward: () -> Void, backward: () -> Void) {
        let layers = UnsafeMutablePointer<ck_chain_layer>.allocate(capacity: count)
        layers.initialize(repeating: ck_chain_layer(convolution: layer.descriptor(), has_bias: true), count: count)
        var chain = ck_convolution_chain(
            batch: Int64(ConvolutionShape.batch), layer_count: Int64(count), layers: layers, gives_input_gradient: true)
        guard ck_convolution_chain_check(&chain) == nil else { preconditionFailure("\(name) is no chain") }
        let parameters = tensors(), gradients = tensors()
        let z = Floats(layer.zCount), y = Floats(layer.yCount), dz = Floats(layer.zCount)
        let saved = Floats(bytes: ck_convolution_chain_saved(&chain))
        let scratch = Floats(bytes: ck_convolution_chain_scratch(&chain))
        return (
            {
                ck_convolution_chain_forward(
                    &chain, z.pointer, parameters.pointers, y.pointer, saved.pointer, scratch.pointer)
            },
            {
                ck_convolution_chain_backward(
                    &chain, parameters.pointers, y.pointer, saved.pointer, dz.pointer, false, gradients.mutablePointers,
                    scratch.pointer)
            }
        )
    }

    private func tensors() -> ParameterTensors {
        ParameterTensors((0..<count).flatMap { _ in [Floats(layer.weightCount), Floats(layer.filters)] })
    }
}

/// Tensors, and their places as C takes them. Freed when the process ends.
private struct ParameterTensors {
    let tensors: [Floats]
    let mutablePointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    let pointers: UnsafeMutablePointer<UnsafePointer<Float>?>

    init(_ tensors: [Floats]) {
        self.tensors = tensors
        mutablePointers = .allocate(capacity: tensors.count)
        pointers = .allocate(capacity: tensors.count)
        for (index, tensor) in tensors.enumerated() {
            (mutablePointers + index).initialize(to: tensor.pointer)
            (pointers + index).initialize(to: UnsafePointer(tensor.pointer))
        }
    }
}
