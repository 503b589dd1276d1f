import CKernels

/// A checked 1×1 convolution without padding, which does more to its output before it is stored, and gives all
/// gradients in one sweep. Shapes are those of `ck_convolution`.
struct PointwiseKernel: Sendable {
    private var convolution: ck_convolution

    /// Bound to z [batch][height][width][channels], with the batch given at each call; `nil` if the window isn't 1×1 or
    /// the activation has learned slopes.
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
        try prepare(batch: 1, isSingleThreaded: false, subject: subject)
    }

    mutating func prepare(batch: Int, isSingleThreaded: Bool, subject: String) throws(ShapeError) {
        convolution.single_threaded = isSingleThreaded
        try convolution(batch: batch).validate(subject: subject)
    }

    var outputShape: Shape {
        [Int(convolution.out_height), Int(convolution.out_width), Int(convolution.out_channels)]
    }

    /// True if every pixel of the input has one of the output: then another consumer's gradient of the activation can
    /// be taken along.
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

    /// The memory of the moments that ``forward(batch:z:weights:bias:postOps:addend:y:moments:scratch:)`` gives.
    func momentsBytes(batch: Int) -> Int {
        var convolution = convolution(batch: batch)
        return ck_pointwise_moments_count(&convolution) * MemoryLayout<Double>.stride
    }

    /// What a normalisation has to know of those moments.
    func moments(batch: Int, values: UnsafeMutablePointer<Double>) -> ck_moments {
        var convolution = convolution(batch: batch)
        return ck_moments(values: values, part_rows: ck_pointwise_moments_rows(&convolution))
    }

    /// y from z, then `postOps`; with `moments` y's, for the normalisation that reads it.
    func forward(
        batch: Int, z: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        postOps: PostOps, addend: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>,
        moments: UnsafeMutablePointer<Double>?, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        var postOps = postOps.bound(to: addend)
        ck_pointwise_forward(&convolution, z, weights, bias, &postOps, y, moments, scratch)
    }

    /// The gradients of weights and bias, overwritten, and z's, added to what is there if `accumulate`.
    /// `activationGradient` is another consumer's share in the gradient of z's activation. With `normalization`,
    /// `yGradient` is the gradient of y's normalisation.
    func backward(
        batch: Int, z: UnsafePointer<Float>, weights: UnsafePointer<Float>, yGradient: UnsafePointer<Float>,
        normalization: NormalizationGradient?, activationGradient: UnsafePointer<Float>?,
        zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
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
