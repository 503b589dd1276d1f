import CKernels

/// A stand-alone activation of z [batch][positions][channels], for readers that can't fuse the activation.
struct ActivationKernel: Sendable {
    private var shape: ck_activation_shape

    /// - Throws: ``ShapeError`` if the kernels refuse the activation (no member, too many, or a scale that isn't
    ///   finite).
    init(_ activation: FusibleActivation, positions: Int, channels: Int, subject: String) throws(ShapeError) {
        var descriptor = activation.descriptor
        guard ck_activation_check(&descriptor) else {
            throw ShapeError(
                subject: subject,
                expected: "1 to \(FusibleActivation.maximumMemberCount) members with finite scales and parameters",
                found: "\(activation.members)")
        }
        shape = ck_activation_shape(
            batch: 1, positions: Int64(positions), channels: Int64(channels), activation: descriptor)
    }

    private func shape(batch: Int) -> ck_activation_shape {
        var result = shape
        result.batch = Int64(batch)
        return result
    }

    func forward(batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>) {
        var shape = shape(batch: batch)
        ck_activation_forward(&shape, z, slopes, out)
    }

    func scratchBytes(batch: Int) -> Int {
        var shape = shape(batch: batch)
        return ck_activation_backward_scratch(&shape)
    }

    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, outGradient: UnsafePointer<Float>,
        zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, slopesGradient: UnsafeMutablePointer<Float>?,
        scratch: UnsafeMutableRawPointer
    ) {
        var shape = shape(batch: batch)
        ck_activation_backward(&shape, z, slopes, outGradient, zGradient, accumulate, slopesGradient, scratch)
    }
}
