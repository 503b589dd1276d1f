import CKernels

/// A convolution's inputs, its naive results in double, and the bounds of a float result's distance.
///
/// The bounds are those of a sum of n terms in any order, (n + c)·u·Σ|terms| with u = 2⁻²⁴ (Higham 2002, section 4.2);
/// c covers the roundings of an activation and its derivative. Winograd's algorithms mix the terms of neighbours, but
/// their errors grow more slowly with n: the bound is ``winogradRoundings``·u·(the largest Σ|terms| of any output).
final class ReferenceConvolution {
    let shape: ck_convolution
    let activation: ActivationCase
    let z, slopes, weights, bias, dy, dzBefore: Buffer

    /// Set if the kernels have to compute the convolution as a dense layer: height positions, one window over all
    /// positions.
    let dense: ck_dense?

    private(set) var y: [Double] = [], dz: [Double] = [], dslopes: [Double] = [], dweights: [Double] = []
    private(set) var dbias: [Double] = []
    private(set) var yBound: [Double] = [], dzBound: [Double] = [], dslopesBound: [Double] = []
    private(set) var dweightsBound: [Double] = [], dbiasBound: [Double] = []

    private static let unit = 0x1p-24
    private static let activationRoundings = 32.0
    private static let winogradRoundings = 64.0

    init(
        shape: ck_convolution, activation: ActivationCase, integers: Bool, misaligned: Bool, seed: UInt64,
        dense: ck_dense? = nil
    ) {
        self.shape = shape
        self.activation = activation
        self.dense = dense
        var generator = Generator(seed: seed)
        func input(_ count: Int) -> Buffer {
            integers
                ? Buffer(integers: count, &generator, misaligned: misaligned)
                : Buffer(uniform: count, &generator, misaligned: misaligned)
        }
        let zCount = Int(shape.batch * shape.height * shape.width * shape.channels)
        let yCount = Int(shape.batch * shape.out_height * shape.out_width * shape.out_channels)
        let depth = Int(shape.channels) * activation.members.count
        z = input(zCount)
        if !integers { for index in 0..<zCount { z.pointer[index] *= 3 } }
        weights = input(Int(shape.kernel_h * shape.kernel_w * shape.out_channels) * depth)
        bias = input(Int(shape.out_channels))
        dy = input(yCount)
        dzBefore = input(zCount)
        slopes = Buffer(
            activation.slopeCount(positions: Int(shape.height * shape.width), channels: Int(shape.channels)))
        for index in 0..<slopes.count {
            slopes.pointer[index] = integers ? [0.5, 0.25, -0.5, 1][generator.integer(0...3)] : generator.unit()
        }
        compute(exact: integers)
    }

    convenience init(dense: ck_dense, activation: ActivationCase, integers: Bool, misaligned: Bool, seed: UInt64) {
        let shape = ck_convolution(
            batch: Int(dense.batch), height: Int(dense.positions), width: 1, channels: Int(dense.channels),
            out: (1, 1, Int(dense.out_features)), kernel: (Int(dense.positions), 1), activation: activation.activation)
        self.init(
            shape: shape, activation: activation, integers: integers, misaligned: misaligned, seed: seed, dense: dense)
    }

    private func compute(exact: Bool) {
        let members = activation.members, channels = Int(shape.channels), depth = channels * members.count
        let pixels = Int(shape.height * shape.width), batch = Int(shape.batch), n = Int(shape.out_channels)
        var a = [Double](repeating: 0, count: batch * pixels * depth)
        forEachElement { at, member, out, slope, _ in
            a[out] = ReferenceMember.value(member, Double(z.pointer[at]), slope: slope)
        }
        let w = weights.values.map(Double.init), g = dy.values.map(Double.init)
        let (sum, da, dw) = correlate(a, w, g)
        var (sumSize, daSize, dwSize) = correlate(a.map(abs), w.map(abs), g.map(abs))
        let isWinograd = shape.algorithm == CK_WINOGRAD
        if isWinograd {
            func spread(_ sizes: [Double]) -> [Double] { .init(repeating: sizes.max()!, count: sizes.count) }
            (sumSize, daSize, dwSize) = (spread(sumSize), spread(daSize), spread(dwSize))
        }
        let windows = Double(shape.kernel_h * shape.kernel_w)
        let outputs = g.count / n
        func bound(_ terms: Double, _ size: Double) -> Double {
            exact ? 0 : (isWinograd ? Self.winogradRoundings : terms + Self.activationRoundings) * Self.unit * size
        }

        y = sum
        yBound = sumSize
        dbias = [Double](repeating: 0, count: n)
        var dbiasSize = dbias
        for index in 0..<g.count {
            let b = Double(bias.pointer[index % n])
            y[index] += b
            yBound[index] = bound(windows * Double(depth) + 1, sumSize[index] + abs(b))
            dbias[index % n] += g[index]
            dbiasSize[index % n] += abs(g[index])
        }
        dbiasBound = dbiasSize.map { bound(Double(outputs), $0) }
        dweights = dw
        dweightsBound = dwSize.map { bound(Double(outputs), $0) }

        dz = [Double](repeating: 0, count: z.count)
        dzBound = dz
        dslopes = [Double](repeating: 0, count: slopes.count)
        dslopesBound = dslopes
        let terms = windows * Double(n)
        forEachElement { at, member, out, slope, slopeIndex in
            let value = Double(z.pointer[at])
            dz[at] += ReferenceMember.derivative(member, value, slope: slope) * da[out]
            // The largest derivative. Swish's derivative cancels where it is near zero.
            let most =
                abs(Double(member.input_scale * member.output_scale))
                * (2 + abs(Double(member.input_scale) * value))
            dzBound[at] += bound(terms, most * daSize[out]) + bound(2, abs(Double(dzBefore.pointer[at])))
            if slopeIndex >= 0 {
                let derivative = ReferenceMember.slopeDerivative(member, value)
                dslopes[slopeIndex] += derivative * da[out]
                dslopesBound[slopeIndex] += bound(terms + Double(batch * pixels), abs(derivative) * daSize[out])
            }
        }
    }

    /// Calls `body` with the index in z, the member, the index in its output, the slope and its index (-1: none).
    private func forEachElement(_ body: (Int, ck_member, Int, Double, Int) -> Void) {
        let members = activation.members, channels = Int(shape.channels), pixels = Int(shape.height * shape.width)
        let perPosition = activation.activation.slope_sharing == CK_SLOPES_PER_POSITION
        for position in 0..<(Int(shape.batch) * pixels) {
            var slopeMember = 0
            for (m, member) in members.enumerated() {
                let learned = member.function == CK_PRELU
                for channel in 0..<channels {
                    var index = -1
                    if learned {
                        index =
                            perPosition
                            ? (slopeMember * pixels + position % pixels) * channels + channel
                            : slopeMember * channels + channel
                    }
                    body(
                        position * channels + channel, member, (position * members.count + m) * channels + channel,
                        learned ? Double(slopes.pointer[index]) : 0, index)
                }
                if learned { slopeMember += 1 }
            }
        }
    }

    /// y without bias, the gradient of a, and the gradient of w.
    private func correlate(_ a: [Double], _ w: [Double], _ dy: [Double]) -> ([Double], [Double], [Double]) {
        var y = [Double](repeating: 0, count: dy.count), da = [Double](repeating: 0, count: a.count)
        var dw = [Double](repeating: 0, count: w.count)
        let s = shape, n = Int(s.out_channels), depth = a.count / Int(s.batch * s.height * s.width)
        a.withUnsafeBufferPointer { a in
            w.withUnsafeBufferPointer { w in
                dy.withUnsafeBufferPointer { dy in
                    y.withUnsafeMutableBufferPointer { y in
                        da.withUnsafeMutableBufferPointer { da in
                            dw.withUnsafeMutableBufferPointer { dw in
                                for b in 0..<s.batch {
                                    for oy in 0..<s.out_height {
                                        for ox in 0..<s.out_width {
                                            let output = Int((b * s.out_height + oy) * s.out_width + ox) * n
                                            for ky in 0..<s.kernel_h {
                                                let iy = oy * s.stride_h + ky - s.pad_top
                                                if iy < 0 || iy >= s.height { continue }
                                                for kx in 0..<s.kernel_w {
                                                    let ix = ox * s.stride_w + kx - s.pad_left
                                                    if ix < 0 || ix >= s.width { continue }
                                                    let input = Int((b * s.height + iy) * s.width + ix) * depth
                                                    let tap = Int(ky * s.kernel_w + kx) * depth
                                                    for k in 0..<depth {
                                                        let value = a[input + k], row = (tap + k) * n
                                                        var total = 0.0
                                                        for j in 0..<n {
                                                            y[output + j] += value * w[row + j]
                                                            dw[row + j] += value * dy[output + j]
                                                            total += w[row + j] * dy[output + j]
                                                        }
                                                        da[input + k] += total
                                                    }
                                                }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return (y, da, dw)
    }
}
