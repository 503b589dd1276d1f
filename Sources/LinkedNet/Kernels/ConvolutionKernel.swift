import CKernels

/// How a convolution is computed.
public enum ConvolutionAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// Implicit matrix multiplication over packed weights.
    case direct
}

/// A checked 2-D convolution that reads a pre-activation and forms its activation as it packs. Shapes are those of `ck_convolution`.
struct ConvolutionKernel: WeightedKernel {
    private var convolution: ck_convolution

    /// Bound to z [batch][height][width][channels], with the batch given at each call.
    ///
    /// - Throws: ``ShapeError`` naming `subject`.
    init(
        height: Int, width: Int, channels: Int, outputChannels: Int, window: Window2D,
        activation: FusibleActivation, algorithm: ConvolutionAlgorithm, subject: String
    ) throws(ShapeError) {
        let geometry = try WindowGeometry(window, imageHeight: height, imageWidth: width, subject: subject)
        convolution = ck_convolution(
            batch: 1, height: Int64(height), width: Int64(width), channels: Int64(channels),
            out_height: Int64(geometry.outputHeight), out_width: Int64(geometry.outputWidth),
            out_channels: Int64(outputChannels),
            kernel_h: Int64(window.height), kernel_w: Int64(window.width),
            stride_h: Int64(window.strideHeight), stride_w: Int64(window.strideWidth),
            pad_top: Int64(geometry.padTop), pad_left: Int64(geometry.padLeft),
            activation: activation.descriptor, algorithm: algorithm.descriptor)
        try validate(batch: 1, subject: subject)
    }

    func validate(batch: Int, subject: String) throws(ShapeError) {
        var convolution = convolution(batch: batch)
        if let reason = ck_convolution_check(&convolution) {
            throw ShapeError(
                subject: subject, expected: "a convolution that the kernels can compute",
                found: String(cString: reason))
        }
    }

    var outputShape: Shape {
        [Int(convolution.out_height), Int(convolution.out_width), Int(convolution.out_channels)]
    }

    /// For one image.
    var descriptor: ck_convolution { convolution }

    private func convolution(batch: Int) -> ck_convolution {
        var result = convolution
        result.batch = Int64(batch)
        return result
    }

    func scratchBytes(batch: Int) -> Int {
        var convolution = convolution(batch: batch)
        return [CK_FORWARD, CK_BACKWARD_DATA, CK_BACKWARD_WEIGHTS]
            .map { ck_convolution_scratch(&convolution, $0) }.max() ?? 0
    }

    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        ck_convolution_forward(&convolution, z, slopes, weights, bias, y, scratch)
    }

    func backwardData(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        ck_convolution_backward_data(
            &convolution, z, slopes, weights, yGradient, zGradient, accumulate, slopesGradient, scratch)
    }

    func backwardWeights(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, yGradient: UnsafePointer<Float>,
        weightsGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>?,
        scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        ck_convolution_backward_weights(&convolution, z, slopes, yGradient, weightsGradient, biasGradient, scratch)
    }
}

extension ConvolutionAlgorithm {
    fileprivate var descriptor: ck_algorithm {
        switch self {
        case .direct: CK_DIRECT
        }
    }
}
