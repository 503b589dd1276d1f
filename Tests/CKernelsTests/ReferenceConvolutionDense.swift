import CKernels

/// The inputs of a convolution into a dense layer, its naive results in double, and the bounds of a float result's
/// distance.
///
/// Each of the two sums has the bounds of ``ReferenceConvolution``. The activation and the second sum carry on the
/// first sum's error.
final class ReferenceConvolutionDense {
    let shape: ck_convolution_dense
    let activation: ActivationCase
    let input, weights, bias, denseWeights, denseBias, dy: Buffer

    /// A result and the bound of a float result's distance.
    struct Results {
        var values: [Double], bounds: [Double]

        init(_ count: Int) {
            values = .init(repeating: 0, count: count)
            bounds = values
        }
    }

    private(set) var y, dweights, dbias, ddenseWeights, ddenseBias: Results

    private static let unit = 0x1p-24
    private static let roundings = 32.0

    init(shape: ck_convolution_dense, activation: ActivationCase, integers: Bool, misaligned: Bool, seed: UInt64) {
        self.shape = shape
        self.activation = activation
        var generator = Generator(seed: seed)
        func input(_ count: Int) -> Buffer {
            integers
                ? Buffer(integers: count, &generator, misaligned: misaligned)
                : Buffer(uniform: count, &generator, misaligned: misaligned)
        }
        let c = shape.convolution
        let terms = Int(c.kernel_h * c.kernel_w * c.channels), filters = Int(c.out_channels)
        let inputs = Int(c.out_height * c.out_width) * filters * activation.members.count
        let batch = Int(c.batch), features = Int(shape.out_features)
        self.input = input(batch * Int(c.height * c.width * c.channels))
        weights = input(terms * filters)
        bias = input(filters)
        denseWeights = input(inputs * features)
        denseBias = input(features)
        dy = input(batch * features)
        y = Results(batch * features)
        dweights = Results(terms * filters)
        dbias = Results(filters)
        ddenseWeights = Results(inputs * features)
        ddenseBias = Results(features)
        compute(exact: integers)
    }

    /// Adds Σ terms to results, and adds up Σ|terms| and the terms' own errors. Makes bounds of both at the end.
    private struct Sum {
        var results: Results
        var sizes: [Double]

        init(_ count: Int) {
            results = Results(count)
            sizes = results.values
        }

        mutating func add(_ index: Int, _ a: Double, _ b: Double, error: Double = 0) {
            results.values[index] += a * b
            results.bounds[index] += error
            sizes[index] += abs(a * b)
        }

        func finished(terms: Int, exact: Bool) -> Results {
            var result = results
            for index in sizes.indices {
                let rounding =
                    (Double(terms) + ReferenceConvolutionDense.roundings) * ReferenceConvolutionDense.unit
                    * sizes[index]
                result.bounds[index] = exact ? 0 : result.bounds[index] + rounding
            }
            return result
        }
    }

    private func compute(exact: Bool) {
        let c = shape.convolution, members = activation.members
        let filters = Int(c.out_channels), features = Int(shape.out_features), batch = Int(c.batch)
        let terms = Int(c.kernel_h * c.kernel_w * c.channels), pixels = Int(c.out_height * c.out_width)
        var y = Sum(self.y.values.count), dw = Sum(weights.count), db = Sum(bias.count)
        var ddw = Sum(denseWeights.count), ddb = Sum(denseBias.count)
        for b in 0..<batch {
            let gradients = (0..<features).map { Double(dy.pointer[b * features + $0]) }
            for n in 0..<features {
                y.add(b * features + n, 1, Double(denseBias.pointer[n]))
                ddb.add(n, 1, gradients[n])
            }
            for pixel in 0..<pixels {
                let patch = patch(image: b, pixel: pixel)
                for f in 0..<filters {
                    var z = Double(bias.pointer[f]), size = abs(z)
                    for (t, x) in patch.enumerated() {
                        let product = x * Double(weights.pointer[t * filters + f])
                        z += product
                        size += abs(product)
                    }
                    let zError = (Double(terms) + Self.roundings) * Self.unit * size
                    var dz = 0.0, dzError = 0.0
                    for (m, member) in members.enumerated() {
                        let i = (pixel * members.count + m) * filters + f
                        let a = ReferenceMember.value(member, z, slope: 0)
                        let scale = abs(Double(member.input_scale * member.output_scale))
                        // The largest derivative.
                        let most = scale * (2 + abs(Double(member.input_scale)) * (abs(z) + zError))
                        let aError = most * zError + Self.roundings * Self.unit * abs(a)
                        var da = 0.0, daSize = 0.0
                        for n in 0..<features {
                            let w = Double(denseWeights.pointer[i * features + n])
                            y.add(b * features + n, a, w, error: aError * abs(w))
                            ddw.add(i * features + n, a, gradients[n], error: aError * abs(gradients[n]))
                            da += w * gradients[n]
                            daSize += abs(w * gradients[n])
                        }
                        dz += ReferenceMember.derivative(member, z, slope: 0) * da
                        // The derivative jumps at a kink. Elsewhere the derivative changes at most twice as fast as the
                        // member.
                        let change = abs(z) <= zError ? 2 * most : 2 * most * abs(Double(member.input_scale)) * zError
                        dzError += change * abs(da) + most * (Double(features) + Self.roundings) * Self.unit * daSize
                    }
                    db.add(f, 1, dz, error: dzError)
                    for (t, x) in patch.enumerated() { dw.add(t * filters + f, x, dz, error: abs(x) * dzError) }
                }
            }
        }
        self.y = y.finished(terms: pixels * filters * members.count + 1, exact: exact)
        dweights = dw.finished(terms: batch * pixels, exact: exact)
        dbias = db.finished(terms: batch * pixels, exact: exact)
        ddenseWeights = ddw.finished(terms: batch, exact: exact)
        ddenseBias = ddb.finished(terms: batch, exact: exact)
    }

    /// The window of an output's pixel, with zeros outside the image.
    private func patch(image: Int, pixel: Int) -> [Double] {
        let c = shape.convolution
        let oy = Int64(pixel) / c.out_width, ox = Int64(pixel) % c.out_width
        var result: [Double] = []
        for ky in 0..<c.kernel_h {
            for kx in 0..<c.kernel_w {
                let iy = oy * c.stride_h + ky - c.pad_top, ix = ox * c.stride_w + kx - c.pad_left
                let inside = iy >= 0 && iy < c.height && ix >= 0 && ix < c.width
                for k in 0..<c.channels {
                    let index = ((Int64(image) * c.height + iy) * c.width + ix) * c.channels + k
                    result.append(inside ? Double(input.pointer[Int(index)]) : 0)
                }
            }
        }
        return result
    }
}

/// The kernels' results for the same inputs, in guarded buffers and with poisoned scratch.
struct ConvolutionDenseResults {
    let y, dweights, dbias, ddenseWeights, ddenseBias: Buffer
    let guardsIntact: Bool

    init(_ r: ReferenceConvolutionDense, usesBias: Bool = true) {
        let y = Buffer(r.y.values.count), dweights = Buffer(r.weights.count), dbias = Buffer(r.bias.count)
        let ddenseWeights = Buffer(r.denseWeights.count), ddenseBias = Buffer(r.denseBias.count)
        var shape = r.shape
        let scratch = [CK_FORWARD, CK_BACKWARD].map { Buffer(scratchBytes: ck_convolution_dense_scratch(&shape, $0)) }
        ck_convolution_dense_forward(
            &shape, r.input.pointer, r.weights.pointer, usesBias ? r.bias.pointer : nil, r.denseWeights.pointer,
            usesBias ? r.denseBias.pointer : nil, y.pointer, scratch[0].pointer)
        ck_convolution_dense_backward(
            &shape, r.input.pointer, r.weights.pointer, usesBias ? r.bias.pointer : nil, r.denseWeights.pointer,
            r.dy.pointer,
            dweights.pointer, usesBias ? dbias.pointer : nil, ddenseWeights.pointer,
            usesBias ? ddenseBias.pointer : nil,
            scratch[1].pointer)
        let all =
            scratch + [y, dweights, dbias, ddenseWeights, ddenseBias]
            + [r.input, r.weights, r.bias, r.denseWeights, r.denseBias, r.dy]
        guardsIntact = withExtendedLifetime(all) { all.allSatisfy(\.guardsIntact) }
        (self.y, self.dweights, self.dbias, self.ddenseWeights, self.ddenseBias) =
            (y, dweights, dbias, ddenseWeights, ddenseBias)
    }

    var all: [(name: String, buffer: Buffer)] {
        [
            ("y", y), ("dweights", dweights), ("dbias", dbias), ("ddense_weights", ddenseWeights),
            ("ddense_bias", ddenseBias),
        ]
    }

    /// The first difference of bits, or nil.
    func difference(_ other: ConvolutionDenseResults) -> String? {
        zip(all, other.all).lazy.compactMap { firstDifference($0.buffer, $1.buffer, $0.name) }.first
    }

    /// The first result beyond the bounds, or nil.
    func error(_ r: ReferenceConvolutionDense) -> String? {
        if !guardsIntact { return "something was written outside its buffer" }
        let expected = [r.y, r.dweights, r.dbias, r.ddenseWeights, r.ddenseBias]
        return zip(all, expected).lazy.compactMap { result, expected in
            firstError(result.buffer, expected.values, bound: { expected.bounds[$0] }, result.name)
        }.first
    }
}
