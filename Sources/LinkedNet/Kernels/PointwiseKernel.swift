import CKernels

/// A checked 1×1 convolution without padding, which does more to its output before it is stored, and gives all gradients in one sweep. Shapes are those of `ck_convolution`.
struct PointwiseKernel: Sendable {
    private var convolution: ck_convolution

    /// Bound to z [batch][height][width][channels], with the batch given at each call; `nil` if the window isn't 1×1 or the activation has
    /// learned slopes.
    ///
    /// - Throws: ``ShapeError`` naming `subject`.
    init?(
        height: Int, width: Int, channels: Int, outputChannels: Int, window: Window2D,
        activation: FusibleActivation, subject: String
    ) throws(ShapeError) {
        convolution = try ck_convolution(
            height: height, width: width, channels: channels, outputChannels: outputChannels, window: window,
            activation: activation, subject: subject)
        guard ck_pointwise_check(&convolution) else { return nil }
        try validate(batch: 1, subject: subject)
    }

    func validate(batch: Int, subject: String) throws(ShapeError) {
        try convolution(batch: batch).validate(subject: subject)
    }

    var outputShape: Shape {
        [Int(convolution.out_height), Int(convolution.out_width), Int(convolution.out_channels)]
    }

    /// True if every pixel of the input has one of the output: then another consumer's gradient of the activation can be taken along.
    var readsEveryPixel: Bool { convolution.stride_h == 1 && convolution.stride_w == 1 }

    /// The kernel where z holds its activation already.
    var readingStoredActivation: PointwiseKernel {
        var result = self
        result.convolution.activation.applied = true
        return result
    }

    private func convolution(batch: Int) -> ck_convolution {
        var result = convolution
        result.batch = Int64(batch)
        return result
    }

    func scratchBytes(batch: Int) -> Int {
        var convolution = convolution(batch: batch)
        return ck_pointwise_scratch(&convolution)
    }

    /// y from z, then `postOps`.
    func forward(
        batch: Int, z: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        postOps: PostOps, addend: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        var postOps = postOps.bound(to: addend)
        ck_pointwise_forward(&convolution, z, weights, bias, &postOps, y, scratch)
    }

    /// The gradients of weights and bias, overwritten, and z's, added to what is there if `accumulate`. `activationGradient` is another
    /// consumer's share in the gradient of z's activation. With `normalization`, `yGradient` is the gradient of y's normalisation.
    func backward(
        batch: Int, z: UnsafePointer<Float>, weights: UnsafePointer<Float>, yGradient: UnsafePointer<Float>,
        normalization: NormalizationGradient?, activationGradient: UnsafePointer<Float>?, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        weightsGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>?,
        scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        guard var normalization else {
            return ck_pointwise_backward(
                &convolution, z, weights, yGradient, nil, activationGradient, zGradient, accumulate, weightsGradient,
                biasGradient, scratch)
        }
        ck_pointwise_backward(
            &convolution, z, weights, yGradient, &normalization.terms, activationGradient, zGradient, accumulate,
            weightsGradient, biasGradient, scratch)
    }
}
