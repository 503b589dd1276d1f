import CKernels

/// A chain's layers and all of its inputs.
final class ChainInputs {
    struct Layer {
        let shape: ck_convolution
        let activation: ActivationCase
        let weights, slopes: Buffer
        let bias: Buffer?

        var parameters: [Buffer] { [weights] + (bias.map { [$0] } ?? []) + (slopes.count > 0 ? [slopes] : []) }
    }

    let batch: Int
    let layers: [Layer]
    let z, dy, dzBefore: Buffer
    let givesInputGradient: Bool

    init(batch: Int, layers: [Layer], z: Buffer, dy: Buffer, dzBefore: Buffer, givesInputGradient: Bool) {
        self.batch = batch
        self.layers = layers
        self.z = z
        self.dy = dy
        self.dzBefore = dzBefore
        self.givesInputGradient = givesInputGradient
    }

    /// A chain of the only layer of a reference.
    convenience init(_ r: ReferenceConvolution) {
        self.init(
            batch: Int(r.shape.batch),
            layers: [
                .init(shape: r.shape, activation: r.activation, weights: r.weights, slopes: r.slopes, bias: r.bias)
            ],
            z: r.z, dy: r.dy, dzBefore: r.dzBefore,
            givesInputGradient: r.shape.stride_h == 1 && r.shape.stride_w == 1)
    }

    func withChain<Result>(_ body: (inout ck_convolution_chain) -> Result) -> Result {
        let list = layers.map { ck_chain_layer(convolution: $0.shape, has_bias: $0.bias != nil) }
        return list.withUnsafeBufferPointer {
            var chain = ck_convolution_chain(
                batch: Int64(batch), layer_count: Int64(list.count), layers: $0.baseAddress,
                gives_input_gradient: givesInputGradient)
            return body(&chain)
        }
    }

    var inputs: [Buffer] { [z, dy, dzBefore] + layers.flatMap(\.parameters) }
}

/// The kernels' results for a chain, in guarded buffers and with poisoned scratch.
struct ChainResults {
    let y, dz, dzAccumulated: Buffer
    /// The gradients in the order of the parameters.
    let gradients: [Buffer]
    /// The outputs of each layer except the last.
    let outputs: [Buffer]
    let guardsIntact: Bool

    init(_ inputs: ChainInputs) {
        let y = Buffer(inputs.dy.count), dz = Buffer(inputs.z.count), dzAccumulated = inputs.dzBefore.copy()
        let parameters = inputs.layers.flatMap(\.parameters)
        let gradients = parameters.map { Buffer($0.count) }
        let outputs = inputs.layers.dropLast().map {
            Buffer(inputs.batch * Int($0.shape.out_height * $0.shape.out_width * $0.shape.out_channels))
        }
        let work = inputs.withChain { chain in
            let saved = Buffer(scratchBytes: ck_convolution_chain_saved(&chain))
            let scratch = Buffer(scratchBytes: ck_convolution_chain_scratch(&chain))
            let values = parameters.map { UnsafePointer<Float>?($0.pointer) }
            let targets = gradients.map { UnsafeMutablePointer<Float>?($0.pointer) }
            ck_convolution_chain_forward(&chain, inputs.z.pointer, values, y.pointer, saved.pointer, scratch.pointer)
            for (index, output) in outputs.enumerated() {
                ck_convolution_chain_output(&chain, saved.pointer, Int64(index), output.pointer)
            }
            if inputs.givesInputGradient {
                ck_convolution_chain_backward(
                    &chain, values, inputs.dy.pointer, saved.pointer, dzAccumulated.pointer, true, targets,
                    scratch.pointer)
                for gradient in gradients { gradient.poison() }
            }
            scratch.poison()
            ck_convolution_chain_backward(
                &chain, values, inputs.dy.pointer, saved.pointer, inputs.givesInputGradient ? dz.pointer : nil, false,
                targets,
                scratch.pointer)
            return [saved, scratch]
        }
        let all = work + inputs.inputs + gradients + outputs + [y, dz, dzAccumulated]
        guardsIntact = withExtendedLifetime(all) { all.allSatisfy(\.guardsIntact) }
        (self.y, self.dz, self.dzAccumulated, self.gradients, self.outputs) = (y, dz, dzAccumulated, gradients, outputs)
    }

    var all: [Buffer] { [y, dz, dzAccumulated] + gradients + outputs }

    /// The first difference of bits, or nil.
    func difference(_ other: ChainResults) -> String? {
        zip(all, other.all).enumerated().lazy.compactMap { firstDifference($1.0, $1.1, "buffer \($0)") }.first
    }

    /// The first result beyond the bounds of the reference with the same single layer, or nil.
    func error(_ r: ReferenceConvolution) -> String? {
        if !guardsIntact { return "something was written outside its buffer" }
        let error =
            firstError(y, r.y, bound: { r.yBound[$0] }, "y")
            ?? firstError(gradients[0], r.dweights, bound: { r.dweightsBound[$0] }, "dweights")
            ?? firstError(gradients[1], r.dbias, bound: { r.dbiasBound[$0] }, "dbias")
        guard error == nil, r.shape.stride_h == 1, r.shape.stride_w == 1 else { return error }
        let accumulated = zip(r.dz, r.dzBefore.values).map { $0 + Double($1) }
        return firstError(dz, r.dz, bound: { r.dzBound[$0] }, "dz")
            ?? firstError(dzAccumulated, accumulated, bound: { r.dzBound[$0] }, "accumulated dz")
            ?? (gradients.count < 3
                ? nil : firstError(gradients[2], r.dslopes, bound: { r.dslopesBound[$0] }, "dslopes"))
    }
}
