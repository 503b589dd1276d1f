/// The common part of a convolution and a dense layer: weights, a bias, and an input that is read as a pre-activation z
/// together with its activation. `ck_convolution` and `ck_dense` state the shapes.
protocol WeightedKernel: Sendable {
    /// The algorithm, for the summary; `nil` if there is only one algorithm.
    var algorithm: String? { get }

    /// Makes the choices that depend on the largest number of samples of a call, and on whether other threads make
    /// calls of their own meanwhile. Throws an error about `subject` if the kernels don't take so many samples at once.
    mutating func prepare(batch: Int, isSingleThreaded: Bool, subject: String) throws(ShapeError)

    /// The scratch that is large enough for every call of at most `batch` samples.
    func scratchBytes(batch: Int) -> Int

    /// Computes y from z.
    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer)

    /// Adds z's gradient if `accumulate`, else overwrites z's gradient. Overwrites the gradients of slopes, weights and
    /// bias. Gradients that are `nil` aren't computed.
    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, weightsGradient: UnsafeMutablePointer<Float>,
        biasGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer)
}
