import CKernels

/// Batch normalisation of x [rows][channels]. Shapes are those of `ck_batch_norm`.
struct BatchNormKernel: Sendable {
    var channels: Int
    var epsilon: Float

    private func norm(rows: Int) -> ck_batch_norm {
        ck_batch_norm(rows: Int64(rows), channels: Int64(channels), epsilon: epsilon)
    }

    func scratchBytes(rows: Int) -> Int {
        var norm = norm(rows: rows)
        return ck_batch_norm_scratch(&norm)
    }

    /// The learned and the running vectors, each [channels].
    struct Vectors {
        var gamma, beta: UnsafePointer<Float>
        var runningMean, runningVariance: UnsafeMutablePointer<Float>
    }

    /// - Parameter moments: x's moments, if the kernel that wrote x computed the moments; otherwise this kernel reads x
    ///   once more.
    func forwardTraining(
        rows: Int, x: UnsafePointer<Float>, moments: ck_moments?, vectors: Vectors, momentum: Float,
        unbiasedRunningVariance: Bool,
        mean: UnsafeMutablePointer<Float>, inverseDeviation: UnsafeMutablePointer<Float>,
        postOps: PostOps, addend: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer
    ) {
        var norm = norm(rows: rows)
        var postOps = postOps.bound(to: addend)
        var moments = moments ?? ck_moments()
        ck_batch_norm_forward_training(
            &norm, x, &moments, vectors.gamma, vectors.beta, momentum, unbiasedRunningVariance, vectors.runningMean,
            vectors.runningVariance, mean, inverseDeviation, &postOps, y, scratch)
    }

    func forwardInference(
        rows: Int, x: UnsafePointer<Float>, vectors: Vectors, postOps: PostOps, addend: UnsafePointer<Float>?,
        y: UnsafeMutablePointer<Float>
    ) {
        var norm = norm(rows: rows)
        var postOps = postOps.bound(to: addend)
        ck_batch_norm_forward_inference(
            &norm, x, vectors.gamma, vectors.beta, vectors.runningMean, vectors.runningVariance, &postOps, y)
    }

    /// The gradients of gamma and beta, and the terms of x's gradient: see ``NormalizationGradient``.
    func backwardTerms(
        rows: Int, x: UnsafePointer<Float>, gamma: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        inverseDeviation: UnsafePointer<Float>, yGradient: UnsafePointer<Float>, terms: UnsafeMutablePointer<Float>,
        gammaGradient: UnsafeMutablePointer<Float>, betaGradient: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer
    ) {
        var norm = norm(rows: rows)
        ck_batch_norm_backward_terms(
            &norm, x, gamma, mean, inverseDeviation, yGradient, terms, gammaGradient, betaGradient, scratch)
    }

    func backward(
        rows: Int, x: UnsafePointer<Float>, gamma: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        inverseDeviation: UnsafePointer<Float>, yGradient: UnsafePointer<Float>,
        xGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, gammaGradient: UnsafeMutablePointer<Float>,
        betaGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var norm = norm(rows: rows)
        ck_batch_norm_backward(
            &norm, x, gamma, mean, inverseDeviation, yGradient, xGradient, accumulate, gammaGradient, betaGradient,
            scratch)
    }
}

/// The terms that give the gradient of a normalisation's input x from the output's gradient; see
/// `ck_normalization_gradient`.
struct NormalizationGradient {
    var terms: ck_normalization_gradient

    /// - Parameters:
    ///   - mean: [channels].
    ///   - terms: the result of `backwardTerms`.
    init(x: UnsafePointer<Float>, mean: UnsafePointer<Float>, terms: UnsafePointer<Float>, channels: Int) {
        self.terms = ck_normalization_gradient(
            x: x, center: mean, scale: terms, slope: terms + channels, shift: terms + 2 * channels)
    }
}
