import CKernels

/// Kernels that treat each element alone.
enum Elementwise {
    /// out = a + b
    static func add(
        count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>
    ) {
        ck_add(Int64(count), a, b, out)
    }

    /// out = x, or out += x.
    static func copy(count: Int, _ x: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, accumulate: Bool) {
        ck_copy(Int64(count), x, out, accumulate)
    }

    /// x ·= factor.
    static func scale(count: Int, by factor: Float, _ x: UnsafeMutablePointer<Float>) {
        ck_scale(Int64(count), factor, x)
    }

    /// Writes narrow [rows][channels] into channels `offset`… of wide [rows][wideChannels].
    static func concatenate(
        rows: Int, channels: Int, narrow: UnsafePointer<Float>, wideChannels: Int, offset: Int,
        wide: UnsafeMutablePointer<Float>
    ) {
        ck_concat_forward(Int64(rows), Int64(channels), narrow, Int64(wideChannels), Int64(offset), wide)
    }

    /// Reads narrow [rows][channels] out of wide [rows][wideChannels].
    static func split(
        rows: Int, channels: Int, wide: UnsafePointer<Float>, wideChannels: Int, offset: Int,
        narrow: UnsafeMutablePointer<Float>, accumulate: Bool
    ) {
        ck_concat_backward(
            Int64(rows), Int64(channels), wide, Int64(wideChannels), Int64(offset), narrow, accumulate)
    }

    /// Inverted dropout with the mask of `key`.
    static func dropout(
        count: Int, key: UInt64, rate: Float, _ x: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>,
        accumulate: Bool
    ) {
        ck_dropout(Int64(count), key, 0, rate, x, out, accumulate)
    }

    /// Σ x², in double.
    static func sumOfSquares(count: Int, _ x: UnsafePointer<Float>) -> Double {
        ck_sum_of_squares(Int64(count), x)
    }

    /// The index of the first NaN or infinity.
    static func firstNonFinite(count: Int, _ x: UnsafePointer<Float>) -> Int? {
        let index = ck_first_nonfinite(Int64(count), x)
        return index < 0 ? nil : Int(index)
    }
}
