/// What a convolution and a dense layer have in common: weights, a bias, and an input that is read as a pre-activation
/// z together with its activation. Shapes are those of `ck_convolution` and `ck_dense`.
protocol WeightedKernel: Sendable {
    /// How it is computed, for the summary; `nil` if there is only one way.
    var algorithm: String? { get }

    /// Settles what depends on the largest number of samples of a call, and on whether other threads have calls of
    /// their own meanwhile. Throws an error about `subject` if the kernels don't take so many at once.
    mutating func prepare(batch: Int, isSingleThreaded: Bool, subject: String) throws(ShapeError)

    /// The scratch that every pass at `batch` or below fits in.
    func scratchBytes(batch: Int) -> Int

    /// y from z.
    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer)

    /// z's gradient, added to what is there if `accumulate`; those of the slopes, weights and bias, overwritten.
    /// Gradients that are `nil` aren't computed.
    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, weightsGradient: UnsafeMutablePointer<Float>,
        biasGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer)
}
