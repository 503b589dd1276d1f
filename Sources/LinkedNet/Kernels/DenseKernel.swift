import CKernels

/// A checked dense layer that reads a flattened pre-activation and forms the activation as it packs. `ck_dense` states
/// the shapes.
struct DenseKernel: WeightedKernel {
    private var dense: ck_dense

    /// A dense layer of z [batch][positions][channels]. Each call gives the batch.
    ///
    /// - Throws: ``ShapeError`` naming `subject`.
    init(
        positions: Int, channels: Int, outputFeatures: Int, activation: FusibleActivation, subject: String
    ) throws(ShapeError) {
        dense = ck_dense(
            batch: 1, positions: Int64(positions), channels: Int64(channels), out_features: Int64(outputFeatures),
            activation: activation.descriptor)
        try prepare(batch: 1, isSingleThreaded: false, subject: subject)
    }

    var algorithm: String? { nil }

    /// The descriptor for one row.
    var descriptor: ck_dense { dense }

    func prepare(batch: Int, isSingleThreaded: Bool, subject: String) throws(ShapeError) {
        var dense = dense(batch: batch)
        if let reason = ck_dense_check(&dense) {
            throw ShapeError(
                subject: subject, expected: "a dense layer that the kernels can compute",
                found: String(cString: reason))
        }
    }

    private func dense(batch: Int) -> ck_dense {
        var result = dense
        result.batch = Int64(batch)
        return result
    }

    func scratchBytes(batch: Int) -> Int {
        var dense = dense(batch: batch)
        return max(ck_dense_scratch(&dense, CK_FORWARD), ck_dense_scratch(&dense, CK_BACKWARD))
    }

    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var dense = dense(batch: batch)
        ck_dense_forward(&dense, z, slopes, weights, bias, y, scratch)
    }

    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, weightsGradient: UnsafeMutablePointer<Float>,
        biasGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) {
        var dense = dense(batch: batch)
        ck_dense_backward(
            &dense, z, slopes, weights, yGradient, zGradient, accumulate, slopesGradient, weightsGradient,
            biasGradient, scratch)
    }
}
