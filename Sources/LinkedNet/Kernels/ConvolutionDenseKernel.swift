import CKernels

/// A convolution and its only reader, a dense layer, computed together, so that the tensor in between is never stored.
/// `ck_convolution_dense` states the layouts.
struct ConvolutionDenseKernel: Sendable {
    private let pair: ck_convolution_dense

    /// - Returns: `nil` if the kernels can't compute the two layers together.
    init?(_ convolution: ConvolutionKernel, into dense: DenseKernel, batch: Int) {
        let (c, d) = (convolution.descriptor, dense.descriptor)
        // Members lie pixel by pixel only if their activation has the convolution's channels. A single member has the
        // same layout in both cases.
        guard c.out_height * c.out_width * c.out_channels == d.positions * d.channels,
            d.channels == c.out_channels || d.activation.member_count == 1
        else { return nil }
        pair = ck_convolution_dense(convolution: c, activation: d.activation, out_features: d.out_features)
        var descriptor = pair(batch: batch)
        guard ck_convolution_dense_check(&descriptor) == nil else { return nil }
    }

    private func pair(batch: Int) -> ck_convolution_dense {
        var result = pair
        result.convolution.batch = Int64(batch)
        return result
    }

    /// The scratch that is large enough for every call of at most `batch` samples.
    func scratchBytes(batch: Int) -> Int {
        var pair = pair(batch: batch)
        return max(ck_convolution_dense_scratch(&pair, CK_FORWARD), ck_convolution_dense_scratch(&pair, CK_BACKWARD))
    }

    /// The weights of both layers, or their gradients.
    struct Parameters<Element> {
        var weights: Element
        var bias: Element?
        var denseWeights: Element
        var denseBias: Element?

        func map<Result>(_ transform: (Element) -> Result) -> Parameters<Result> {
            .init(
                weights: transform(weights), bias: bias.map(transform), denseWeights: transform(denseWeights),
                denseBias: denseBias.map(transform))
        }
    }

    func forward(
        batch: Int, input: UnsafePointer<Float>, parameters: Parameters<UnsafePointer<Float>>,
        y: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer
    ) {
        var pair = pair(batch: batch)
        ck_convolution_dense_forward(
            &pair, input, parameters.weights, parameters.bias, parameters.denseWeights, parameters.denseBias, y,
            scratch)
    }

    func backward(
        batch: Int, input: UnsafePointer<Float>, parameters: Parameters<UnsafePointer<Float>>,
        yGradient: UnsafePointer<Float>,
        gradients: Parameters<UnsafeMutablePointer<Float>>, scratch: UnsafeMutableRawPointer
    ) {
        var pair = pair(batch: batch)
        ck_convolution_dense_backward(
            &pair, input, parameters.weights, parameters.bias, parameters.denseWeights, yGradient, gradients.weights,
            gradients.bias, gradients.denseWeights, gradients.denseBias, scratch)
    }

    /// Calls `body` with the convolution's output. The method computes the output once more, with the same bits, into
    /// memory of its own.
    func withConvolutionOutput(
        batch: Int, input: UnsafePointer<Float>, parameters: Parameters<UnsafePointer<Float>>,
        _ body: (UnsafePointer<Float>) -> Void
    ) {
        var convolution = pair(batch: batch).convolution
        convolution.algorithm = CK_DIRECT
        let count = Int(convolution.batch * convolution.out_height * convolution.out_width * convolution.out_channels)
        withUnsafeTemporaryAllocation(
            byteCount: ck_convolution_scratch(&convolution, CK_FORWARD), alignment: AlignedStorage<Float>.alignment
        ) { scratch in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { output in
                let target = output.baseAddress.unsafelyUnwrapped
                ck_convolution_forward(
                    &convolution, input, nil, parameters.weights, parameters.bias, target, scratch.baseAddress)
                body(target)
            }
        }
    }
}

extension ConvolutionKernel {
    /// True if the choice of algorithm is automatic, and computing the convolution together with a dense layer is
    /// faster.
    ///
    /// The pair's kernel computes the convolution's output twice, with images as lanes and then with filters as lanes,
    /// and never stores the output. So sums have to be short, and lanes full. Measured with 16 lanes, 10 outputs and
    /// mirrored ReLU: the pair's kernel and separate kernels are level at 8 filters, 8 images or 49 terms. The pair's
    /// kernel gains with more filters, and is twice as fast from 100 filters on.
    func suitsFusionWithDense(batch: Int) -> Bool {
        let convolution = descriptor
        return isAutomatic && convolution.kernel_h * convolution.kernel_w * convolution.channels <= 48
            && convolution.out_channels >= 16 && batch >= 12 && convolution.out_height * convolution.out_width >= 16
    }
}
