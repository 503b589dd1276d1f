import CKernels
import Testing

/// The kernels' results for a 1×1 convolution with an addend, with a ReLU of the sum, and with another consumer's
/// gradient, in guarded buffers.
struct PointwiseResults {
    let y, summed, rectified, dz, dzAccumulated, dzShared, dweights, dbias, dweightsAlone: Buffer
    let guardsIntact: Bool

    init(
        _ r: ReferenceConvolution, addend: Buffer, addendActivation: ActivationCase, shared: Buffer?,
        holdsActivation: Bool = false
    ) {
        var shape = r.shape
        shape.activation.applied = holdsActivation
        (y, summed, rectified) = (Buffer(r.dy.count), Buffer(r.dy.count), Buffer(r.dy.count))
        (dz, dzAccumulated, dzShared) = (Buffer(r.z.count), r.dzBefore.copy(), Buffer(r.z.count))
        (dweights, dweightsAlone, dbias) = (Buffer(r.weights.count), Buffer(r.weights.count), Buffer(r.bias.count))
        let scratch = Buffer(scratchBytes: ck_pointwise_scratch(&shape))
        ck_pointwise_forward(
            &shape, r.z.pointer, r.weights.pointer, r.bias.pointer, nil, y.pointer, nil, scratch.pointer)
        var postOps = ck_post_ops(
            addend: addend.pointer, addend_activation: addendActivation.activation, activation: ck_activation())
        for (target, activation) in [(summed, ck_activation()), (rectified, ActivationCase.relu.activation)] {
            scratch.poison()
            postOps.activation = activation
            ck_pointwise_forward(
                &shape, r.z.pointer, r.weights.pointer, nil, &postOps, target.pointer, nil, scratch.pointer)
        }
        for (target, accumulate, gradient) in [(dz, false, nil), (dzAccumulated, true, nil), (dzShared, false, shared)]
        {
            scratch.poison()
            ck_pointwise_backward(
                &shape, r.z.pointer, r.weights.pointer, r.dy.pointer, nil, gradient?.pointer, target.pointer,
                accumulate,
                dweights.pointer, dbias.pointer, scratch.pointer)
        }
        scratch.poison()
        ck_pointwise_backward(
            &shape, r.z.pointer, r.weights.pointer, r.dy.pointer, nil, nil, nil, false, dweightsAlone.pointer, nil,
            scratch.pointer)
        let all = [
            y, summed, rectified, dz, dzAccumulated, dzShared, dweights, dweightsAlone, dbias, scratch, addend, r.z,
            r.weights,
        ]
        guardsIntact = all.allSatisfy(\.guardsIntact)
    }

    var all: [Buffer] { [y, summed, rectified, dz, dzAccumulated, dzShared, dweights, dbias, dweightsAlone] }

    func difference(_ other: PointwiseResults) -> String? {
        zip(all, other.all).lazy.compactMap { firstDifference($0, $1, "a result") }.first
    }
}

@Suite struct PointwiseTests {
    private static func shape(
        _ size: (Int, Int), channels: Int, out: Int, stride: (Int, Int), batch: Int, _ activation: ActivationCase
    ) -> ck_convolution {
        ck_convolution(
            batch: batch, height: size.0, width: size.1, channels: channels,
            out: ((size.0 - 1) / stride.0 + 1, (size.1 - 1) / stride.1 + 1, out), kernel: (1, 1), stride: stride,
            activation: activation.activation)
    }

    static func verify(
        _ shape: ck_convolution, _ activation: ActivationCase, seed: Int, threadCounts: [Int32] = threadCounts
    ) {
        var shape = shape
        shape.single_threaded = seed % 4 == 1
        #expect(ck_convolution_check(&shape) == nil)
        #expect(ck_pointwise_check(&shape))
        let integers = activation.isExact && seed % 2 == 0
        let r = ReferenceConvolution(
            shape: shape, activation: activation, integers: integers, misaligned: seed % 3 == 0, seed: UInt64(seed))
        var generator = Generator(seed: UInt64(seed) + 500)
        let addendActivation = ActivationCase.all.first {
            $0.name == ["identity", "relu", "elu"][seed % (integers ? 2 : 3)]
        }!
        let addend = integers ? Buffer(integers: r.dy.count, &generator) : Buffer(uniform: r.dy.count, &generator)
        let members = activation.members, channels = Int(shape.channels)
        let readsEveryPixel =
            shape.stride_h == 1 && shape.stride_w == 1 && shape.out_height == shape.height
            && shape.out_width == shape.width
        let sharedCount = r.z.count * members.count
        let shared = integers ? Buffer(integers: sharedCount, &generator) : Buffer(uniform: sharedCount, &generator)

        let unit = integers ? 0 : 0x1p-24
        let n = Int(shape.out_channels)
        let member = addendActivation.members[0]
        let summed = r.y.enumerated().map { index, y in
            y - Double(r.bias.pointer[index % n])
                + ReferenceMember.value(member, Double(addend.pointer[index]), slope: 0)
        }
        var dzShared = r.dz
        var sharedSize = [Double](repeating: 0, count: r.dz.count)
        if readsEveryPixel {
            for index in 0..<r.z.count {
                for (m, member) in members.enumerated() {
                    let gradient = Double(
                        shared.pointer[(index / channels * members.count + m) * channels + index % channels])
                    let value = Double(r.z.pointer[index])
                    dzShared[index] += ReferenceMember.derivative(member, value, slope: 0) * gradient
                    sharedSize[index] += (2 + abs(value)) * 2 * abs(gradient)
                }
            }
        }
        let accumulated = zip(r.dz, r.dzBefore.values).map { $0 + Double($1) }
        for isa in availableISAs {
            let name = "\(String(cString: ck_isa_name(isa))), \(activation), \(shape)"
            func results(_ threads: Int32) -> PointwiseResults {
                with(isa: isa, threads: threads) {
                    PointwiseResults(
                        r, addend: addend, addendActivation: addendActivation, shared: readsEveryPixel ? shared : nil)
                }
            }
            let found = results(2)
            #expect(found.guardsIntact, "\(name)")
            #expect(firstError(found.y, r.y, bound: { r.yBound[$0] }, "y") == nil, "\(name)")
            #expect(
                firstError(found.summed, summed, bound: { r.yBound[$0] + 64 * unit }, "sum") == nil, "\(name)")
            let maxima = Buffer(found.summed.values.map { max($0, 0) })
            #expect(firstDifference(found.rectified, maxima, "rectified") == nil, "\(name)")
            #expect(firstError(found.dz, r.dz, bound: { r.dzBound[$0] }, "dz") == nil, "\(name)")
            #expect(
                firstError(found.dzAccumulated, accumulated, bound: { r.dzBound[$0] }, "accumulated") == nil, "\(name)")
            #expect(
                firstError(
                    found.dzShared, dzShared, bound: { r.dzBound[$0] + 64 * unit * sharedSize[$0] }, "shared") == nil,
                "\(name)")
            for weights in [found.dweights, found.dweightsAlone] {
                #expect(firstError(weights, r.dweights, bound: { r.dweightsBound[$0] }, "dweights") == nil, "\(name)")
            }
            #expect(firstError(found.dbias, r.dbias, bound: { r.dbiasBound[$0] }, "dbias") == nil, "\(name)")
            for threads in threadCounts where threads != 2 {
                #expect(found.difference(results(threads)) == nil, "\(threads) threads, \(name)")
            }
        }
    }

    private static let activations = ActivationCase.all.filter { $0.slopeCount(positions: 1, channels: 1) == 0 }

    @Test(arguments: 0..<60)
    func generatedShapes(seed: Int) {
        var generator = Generator(seed: UInt64(seed))
        let channelChoices = [1, 2, 3, 8, 10, 16, 17, 33, 48, 64, 100, 129]
        let activation = Self.activations[seed % Self.activations.count]
        let strides = [(1, 1), (2, 2), (1, 1), (3, 1), (1, 2)]
        Self.verify(
            Self.shape(
                (generator.integer(1...9), generator.integer(1...9)),
                channels: channelChoices[generator.integer(0...channelChoices.count - 1)],
                out: channelChoices[generator.integer(0...channelChoices.count - 1)],
                stride: strides[generator.integer(0...4)], batch: generator.integer(1...6), activation),
            activation, seed: seed)
    }

    /// Blocks, slabs and tasks that end within an image or a row, and sums longer than a piece:
    /// (height, width, channels, out, stride, batch).
    @Test(arguments: [
        (1, 1, 5, 7, 1, 1), (16, 16, 16, 64, 1, 9), (31, 33, 8, 16, 1, 2), (17, 15, 20, 12, 2, 7), (4, 4, 300, 5, 1, 2),
        (5, 4, 4, 300, 1, 3), (40, 50, 3, 2, 1, 1), (9, 1000, 2, 3, 3, 1),
    ])
    func chosenShapes(_ s: (Int, Int, Int, Int, Int, Int)) {
        for (index, name) in ["identity", "mirrored relu", "relu", "mirrored swish"].enumerated() {
            let activation = ActivationCase.all.first { $0.name == name }!
            Self.verify(
                Self.shape((s.0, s.1), channels: s.2, out: s.3, stride: (s.4, s.4), batch: s.5, activation), activation,
                seed: index)
        }
    }

    /// A z that already holds its ReLU gives the same results as a ReLU that the kernel forms.
    @Test(arguments: [(1, 1), (2, 2), (1, 2)])
    func readsAStoredActivation(stride: (Int, Int)) {
        let shape = Self.shape((9, 7), channels: 37, out: 21, stride: stride, batch: 3, .relu)
        var generator = Generator(seed: 10)
        let addend = Buffer(uniform: Int(3 * shape.out_height * shape.out_width * 21), &generator)
        let shared = Buffer(uniform: 3 * 9 * 7 * 37, &generator)
        for isa in availableISAs {
            let r = ReferenceConvolution(shape: shape, activation: .relu, integers: false, misaligned: true, seed: 9)
            func results(holdsActivation: Bool) -> PointwiseResults {
                with(isa: isa) {
                    PointwiseResults(
                        r, addend: addend, addendActivation: .relu, shared: stride == (1, 1) ? shared : nil,
                        holdsActivation: holdsActivation)
                }
            }
            let formed = results(holdsActivation: false)
            for index in 0..<r.z.count { r.z.pointer[index] = max(r.z.pointer[index], 0) }
            let stored = results(holdsActivation: true)
            #expect(formed.difference(stored) == nil, "\(isa), \(stride)")
            #expect(stored.guardsIntact)
        }
    }

    /// Input pixels without a pixel of the output get gradients of zero.
    @Test func pixelsThatNobodyReads() {
        let activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        for stride in [(1, 1), (2, 3)] {
            let shape = ck_convolution(
                batch: 3, height: 9, width: 11, channels: 5, out: (3, 2, 6), kernel: (1, 1), stride: stride,
                activation: activation.activation)
            Self.verifyWithoutShared(shape, activation)
        }
    }

    private static func verifyWithoutShared(_ shape: ck_convolution, _ activation: ActivationCase) {
        let r = ReferenceConvolution(shape: shape, activation: activation, integers: true, misaligned: false, seed: 3)
        let addend = Buffer([Float](repeating: 0, count: r.dy.count))
        for isa in availableISAs {
            let found = with(isa: isa) {
                PointwiseResults(r, addend: addend, addendActivation: ActivationCase.all[0], shared: nil)
            }
            #expect(firstError(found.dz, r.dz, bound: { _ in 0 }, "dz, \(isa)") == nil)
            #expect(firstError(found.dweights, r.dweights, bound: { _ in 0 }, "dweights, \(isa)") == nil)
            #expect(found.guardsIntact)
        }
    }

    @Test(arguments: availableISAs)
    func propagatesNaN(isa: ck_isa) {
        let activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        let shape = Self.shape((5, 4), channels: 6, out: 7, stride: (1, 1), batch: 2, activation)
        func results(_ change: (ReferenceConvolution, Buffer, Buffer) -> Void) -> PointwiseResults {
            let r = ReferenceConvolution(
                shape: shape, activation: activation, integers: false, misaligned: false, seed: 4)
            var generator = Generator(seed: 5)
            let addend = Buffer(uniform: r.dy.count, &generator), shared = Buffer(uniform: 2 * r.z.count, &generator)
            change(r, addend, shared)
            return with(isa: isa) {
                PointwiseResults(
                    r, addend: addend, addendActivation: .relu, shared: shared)
            }
        }
        let z = results { r, _, _ in r.z.pointer[6 * 11 + 2] = .nan }
        for index in 0..<z.y.count { #expect(z.y.pointer[index].isNaN == (index / 7 == 11)) }
        for index in 0..<z.dweights.count { #expect(z.dweights.pointer[index].isNaN == (index / 7 % 6 == 2)) }
        let addend = results { _, addend, _ in addend.pointer[20] = .nan }
        for index in 0..<addend.y.count { #expect(addend.summed.pointer[index].isNaN == (index == 20)) }
        let gradient = results { r, _, _ in r.dy.pointer[7 * 3 + 4] = .nan }
        #expect(gradient.dbias.pointer[4].isNaN && !gradient.dbias.pointer[3].isNaN)
        let shared = results { r, _, shared in
            r.z.pointer[0] = 1
            shared.pointer[0] = .nan
        }
        #expect(shared.dzShared.pointer[0].isNaN && !shared.dz.pointer[0].isNaN)
    }

    /// The gradient of a normalisation's input, formed by the convolution, equals the stored gradient.
    @Test(arguments: [(3, 5), (16, 64), (30, 17)])
    func formsTheGradientOfWhatWasNormalized(channels: Int, out: Int) {
        let activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        var shape = Self.shape((9, 7), channels: channels, out: out, stride: (1, 1), batch: 5, activation)
        let r = ReferenceConvolution(shape: shape, activation: activation, integers: false, misaligned: false, seed: 6)
        var norm = ck_batch_norm(rows: 5 * 9 * 7, channels: Int64(out), epsilon: 1e-3)
        var generator = Generator(seed: 8)
        let x = Buffer(uniform: r.dy.count, &generator), gamma = Buffer(uniform: out, &generator)
        let mean = Buffer(uniform: out, &generator), inverse = Buffer(uniform: out, &generator)
        for isa in availableISAs {
            for threads in threadCounts {
                with(isa: isa, threads: threads) {
                    let normScratch = Buffer(scratchBytes: ck_batch_norm_scratch(&norm))
                    let scratch = Buffer(scratchBytes: ck_pointwise_scratch(&shape))
                    let dx = Buffer(r.dy.count), terms = Buffer(3 * out)
                    let scales = (0..<4).map { _ in Buffer(out) }
                    ck_batch_norm_backward(
                        &norm, x.pointer, gamma.pointer, mean.pointer, inverse.pointer, r.dy.pointer, dx.pointer, false,
                        scales[0].pointer, scales[1].pointer, normScratch.pointer)
                    normScratch.poison()
                    ck_batch_norm_backward_terms(
                        &norm, x.pointer, gamma.pointer, mean.pointer, inverse.pointer, r.dy.pointer, terms.pointer,
                        scales[2].pointer, scales[3].pointer, normScratch.pointer)
                    var normalization = ck_normalization_gradient(
                        x: x.pointer, center: mean.pointer, scale: terms.pointer, slope: terms.pointer + out,
                        shift: terms.pointer + 2 * out)
                    let stored = (0..<3).map { Buffer([r.z.count, r.weights.count, out][$0]) }
                    let formed = (0..<3).map { Buffer([r.z.count, r.weights.count, out][$0]) }
                    ck_pointwise_backward(
                        &shape, r.z.pointer, r.weights.pointer, dx.pointer, nil, nil, stored[0].pointer, false,
                        stored[1].pointer, stored[2].pointer, scratch.pointer)
                    scratch.poison()
                    ck_pointwise_backward(
                        &shape, r.z.pointer, r.weights.pointer, r.dy.pointer, &normalization, nil, formed[0].pointer,
                        false,
                        formed[1].pointer, formed[2].pointer, scratch.pointer)
                    for (a, b) in zip(stored + scales[..<2], formed + scales[2...]) {
                        #expect(firstDifference(a, b, "\(isa), \(threads) threads") == nil)
                    }
                    let written = [dx, terms, normScratch, scratch] + stored + formed + scales
                    let isIntact = written.allSatisfy(\.guardsIntact)
                    #expect(isIntact)
                    let values = formed[0].values
                    let isUsual = values.contains { $0 != 0 } && values.allSatisfy(\.isFinite)
                    #expect(isUsual)
                }
            }
        }
    }

    @Test func takesOneByOneWithoutSlopesOnly() {
        let plain = ActivationCase.all[0], sloped = ActivationCase.all.first { $0.name == "prelu per channel" }!
        var good = Self.shape((3, 3), channels: 2, out: 2, stride: (2, 1), batch: 1, plain)
        #expect(ck_pointwise_check(&good))
        var slopes = Self.shape((3, 3), channels: 2, out: 2, stride: (1, 1), batch: 1, sloped)
        #expect(!ck_pointwise_check(&slopes))
        var wide = ck_convolution(
            batch: 1, height: 3, width: 3, channels: 2, out: (3, 2, 2), kernel: (1, 2), activation: plain.activation)
        #expect(!ck_pointwise_check(&wide))
    }

    @Test func scratchNeverShrinksWithTheBatch() {
        for (channels, out) in [(3, 64), (128, 5)] {
            var shape = Self.shape((7, 7), channels: channels, out: out, stride: (1, 1), batch: 1, Self.activations[2])
            var (before, momentsBefore) = (0, 0)
            for batch in 1...60 {
                shape.batch = Int64(batch)
                let size = ck_pointwise_scratch(&shape), moments = ck_pointwise_moments_count(&shape)
                #expect(size >= before && moments >= momentsBefore)
                (before, momentsBefore) = (size, moments)
            }
        }
    }
}
