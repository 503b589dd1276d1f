import CKernels

/// A checked 1×1 convolution without padding. The kernel applies further operations to its output before the output is
/// stored, and gives all gradients in one sweep. `ck_convolution` states the shapes.
struct PointwiseKernel: Sendable {
    private var convolution: ck_convolution

    /// A convolution of z [batch][height][width][channels]. Each call gives the batch. `nil` if the window isn't 1×1 or
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

    /// True if every pixel of the input has a pixel of the output. The kernel can then add another reader's gradient
    /// of the activation.
    var readsEveryPixel: Bool { convolution.stride_h == 1 && convolution.stride_w == 1 }

    /// The kernel for a z that already holds its activation.
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

    /// The moments as a normalisation reads them.
    func moments(batch: Int, values: UnsafeMutablePointer<Double>) -> ck_moments {
        var convolution = convolution(batch: batch)
        return ck_moments(values: values, part_rows: ck_pointwise_moments_rows(&convolution))
    }

    /// Computes y from z, then applies `postOps`. Writes y's moments to `moments`, if given, for the normalisation that
    /// reads y.
    func forward(
        batch: Int, z: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        postOps: PostOps, addend: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>,
        moments: UnsafeMutablePointer<Double>?, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch)
        var postOps = postOps.bound(to: addend)
        ck_pointwise_forward(&convolution, z, weights, bias, &postOps, y, moments, scratch)
    }

    /// Overwrites the gradients of weights and bias. Adds z's gradient if `accumulate`, else overwrites z's gradient.
    /// `activationGradient` is another reader's part of the gradient of z's activation. With `normalization`,
    /// `yGradient` is the gradient of the normalisation's output.
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
