import CKernels

/// A convolution and the dense layer that reads it through mirrored ReLU, as one: the width networks.
struct ConvolutionDenseShape {
    let convolution: ConvolutionShape
    let units: Int

    static let all = [50, 400].map { filters in
        ConvolutionDenseShape(
            convolution: ConvolutionShape("width\(filters)", 3, .none, to: filters, at: 32, padded: false), units: 10)
    }

    private var descriptor: ck_convolution_dense {
        ck_convolution_dense(
            convolution: convolution.descriptor(), activation: ActivationKind.linked.descriptor,
            out_features: Int64(units))
    }
    private var weightCount: Int { convolution.yCount / ConvolutionShape.batch * ActivationKind.linked.members * units }
    private var yCount: Int { ConvolutionShape.batch * units }

    func register() {
        let name = "\(convolution.name)→\(units)"
        let dense = 2 * Double(ConvolutionShape.batch) * Double(weightCount)
        // What lies between the layers need not be in memory, and only backward's own sums count.
        KernelCall(
            name: "\(name) forward fused", operations: convolution.operations + dense,
            floats: convolution.zCount + weightCount + yCount
        ).register { calls().forward }
        KernelCall(
            name: "\(name) backward fused", operations: convolution.operations + 2 * dense,
            floats: convolution.zCount + 2 * weightCount + yCount
        ).register { calls().backward }
    }

    private func calls() -> (forward: () -> Void, backward: () -> Void) {
        var fused = descriptor
        guard ck_convolution_dense_check(&fused) == nil else {
            preconditionFailure("\(convolution.name) can't be fused")
        }
        let input = Floats(convolution.zCount), y = Floats(yCount)
        let weights = Floats(convolution.weightCount), bias = Floats(convolution.filters)
        let denseWeights = Floats(weightCount), denseBias = Floats(units)
        let dweights = Floats(convolution.weightCount), dbias = Floats(convolution.filters)
        let ddenseWeights = Floats(weightCount), ddenseBias = Floats(units)
        let scratch = Floats(
            bytes: max(
                ck_convolution_dense_scratch(&fused, CK_FORWARD), ck_convolution_dense_scratch(&fused, CK_BACKWARD)))
        let descriptor = fused
        return (
            {
                var fused = descriptor
                ck_convolution_dense_forward(
                    &fused, input.pointer, weights.pointer, bias.pointer, denseWeights.pointer, denseBias.pointer,
                    y.pointer,
                    scratch.pointer)
            },
            {
                var fused = descriptor
                ck_convolution_dense_backward(
                    &fused, input.pointer, weights.pointer, bias.pointer, denseWeights.pointer, y.pointer,
                    dweights.pointer,
                    dbias.pointer, ddenseWeights.pointer, ddenseBias.pointer, scratch.pointer)
            }
        )
    }
}
