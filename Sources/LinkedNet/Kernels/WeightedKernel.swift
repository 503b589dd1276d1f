/// What a convolution and a dense layer have in common: weights, a bias, and an input that is read as a pre-activation z together with its
/// activation. Shapes are those of `ck_convolution` and `ck_dense`.
protocol WeightedKernel: Sendable {
    /// Throws an error about `subject` if the kernels don't take so many samples at once.
    func validate(batch: Int, subject: String) throws(ShapeError)

    /// The scratch that every pass at `batch` or below fits in.
    func scratchBytes(batch: Int) -> Int

    /// y from z.
    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer)

    /// z's gradient, added to what is there if `accumulate`, and the slopes' gradients, overwritten.
    func backwardData(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer)

    /// The gradients of weights and bias, overwritten.
    func backwardWeights(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, yGradient: UnsafePointer<Float>,
        weightsGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>?,
        scratch: UnsafeMutableRawPointer)
}
