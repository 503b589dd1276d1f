import CKernels
import Testing

/// A convolution's results from the kernels, in guarded buffers with poisoned scratch.
private struct Results {
    var y, dz, dzAccumulated, dslopes, dweights, dbias: Buffer
    var guardsIntact = true

    init(_ r: ReferenceConvolution) {
        var shape = r.shape
        y = Buffer(r.dy.count)
        dz = Buffer(r.z.count)
        dzAccumulated = r.dzBefore.copy()
        dslopes = Buffer(r.slopes.count)
        dweights = Buffer(r.weights.count)
        dbias = Buffer(r.bias.count)
        let hasSlopes = r.slopes.count > 0
        let slopes = hasSlopes ? r.slopes.pointer : nil
        let dslopesPointer = hasSlopes ? dslopes.pointer : nil
        var scratches: [Buffer] = []
        func scratch(_ pass: ck_pass) -> UnsafeMutablePointer<Float> {
            scratches.append(Buffer(scratchBytes: ck_convolution_scratch(&shape, pass)))
            return scratches.last!.pointer
        }
        ck_convolution_forward(
            &shape, r.z.pointer, slopes, r.weights.pointer, r.bias.pointer, y.pointer, scratch(CK_FORWARD))
        ck_convolution_backward_data(
            &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dz.pointer, false, dslopesPointer,
            scratch(CK_BACKWARD_DATA))
        ck_convolution_backward_data(
            &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dzAccumulated.pointer, true, nil,
            scratch(CK_BACKWARD_DATA))
        ck_convolution_backward_weights(
            &shape, r.z.pointer, slopes, r.dy.pointer, dweights.pointer, dbias.pointer, scratch(CK_BACKWARD_WEIGHTS))
        guardsIntact = (scratches + outputs + [r.z, r.slopes, r.weights, r.bias, r.dy]).allSatisfy(\.guardsIntact)
    }

    var outputs: [Buffer] { [y, dz, dzAccumulated, dslopes, dweights, dbias] }

    func error(_ r: ReferenceConvolution) -> String? {
        guardsIntact ? firstError(y, r.y, bound: { r.yBound[$0] }, "y")
            ?? firstError(dz, r.dz, bound: { r.dzBound[$0] }, "dz")
            ?? firstError(
                dzAccumulated, zip(r.dz, r.dzBefore.values).map { $0 + Double($1) }, bound: { r.dzBound[$0] },
                "dz accumulated")
            ?? firstError(dslopes, r.dslopes, bound: { r.dslopesBound[$0] }, "dslopes")
            ?? firstError(dweights, r.dweights, bound: { r.dweightsBound[$0] }, "dweights")
            ?? firstError(dbias, r.dbias, bound: { r.dbiasBound[$0] }, "dbias")
            : "something was written outside its buffer"
    }

    func difference(_ other: Results) -> String? {
        for (index, name) in ["y", "dz", "dz accumulated", "dslopes", "dweights", "dbias"].enumerated() {
            if let difference = firstDifference(outputs[index], other.outputs[index], name) { return difference }
        }
        return nil
    }
}

extension ck_convolution {
    init(
        batch: Int, height: Int, width: Int, channels: Int, out: (height: Int, width: Int, channels: Int),
        kernel: (Int, Int), stride: (Int, Int) = (1, 1), pad: (Int, Int) = (0, 0), activation: ck_activation
    ) {
        self.init(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            out_height: Int64(out.height), out_width: Int64(out.width), out_channels: Int64(out.channels),
            kernel_h: Int64(kernel.0), kernel_w: Int64(kernel.1), stride_h: Int64(stride.0), stride_w: Int64(stride.1),
            pad_top: Int64(pad.0), pad_left: Int64(pad.1), activation: activation, algorithm: CK_DIRECT)
    }

    /// A shape that `seed` alone decides, small enough for the reference.
    static func generated(seed: Int, activation: ActivationCase) -> ck_convolution {
        var generator = Generator(seed: UInt64(seed))
        let channelChoices = [1, 2, 3, 4, 7, 8, 10, 13, 16, 17, 24, 33, 48, 49, 64, 96, 100, 129, 200]
        while true {
            let kernel = (generator.integer(1...7), generator.integer(1...7))
            let longest = seed % 10 == 0 ? 5 : 3
            let stride = (generator.integer(1...longest), generator.integer(1...longest))
            let size = (generator.integer(1...19), generator.integer(1...19))
            let channels = channelChoices[generator.integer(0...channelChoices.count - 1)]
            let outChannels = channelChoices[generator.integer(0...channelChoices.count - 1)]
            func axis(_ size: Int, _ kernel: Int, _ stride: Int) -> (out: Int, pad: Int) {
                let same = (size + stride - 1) / stride
                switch seed % 3 {
                case 0: return (same, max((same - 1) * stride + kernel - size, 0) / 2)
                case 1 where size >= kernel: return ((size - kernel) / stride + 1, 0)
                default:
                    let pad = generator.integer(0...kernel - 1)
                    return (generator.integer(1...(size - 1 + pad) / stride + 1), pad)
                }
            }
            let y = axis(size.0, kernel.0, stride.0), x = axis(size.1, kernel.1, stride.1)
            let batch = generator.integer(1...5)
            let products = batch * y.out * x.out * kernel.0 * kernel.1 * channels * outChannels
                * Int(activation.activation.member_count)
            if products > 1_500_000 || products < 20_000 && seed % 7 != 0 { continue }
            return ck_convolution(
                batch: batch, height: size.0, width: size.1, channels: channels, out: (y.out, x.out, outChannels),
                kernel: kernel, stride: stride, pad: (y.pad, x.pad), activation: activation.activation)
        }
    }
}

extension KernelTests {
    @Suite(.serialized) struct ConvolutionTests {
        /// Every pass on every instruction set within its bound (exactly, on integers), the same bits for any number of threads.
        static func verify(_ shape: ck_convolution, _ activation: ActivationCase, seed: Int) {
            var shape = shape
            #expect(ck_convolution_check(&shape) == nil)
            let reference = ReferenceConvolution(
                shape: shape, activation: activation, integers: activation.isExact && seed % 2 == 0,
                misaligned: seed % 5 == 0, seed: UInt64(seed) + 1000)
            for isa in availableISAs {
                let results = with(isa: isa) { Results(reference) }
                let name = String(cString: ck_isa_name(isa))
                #expect(results.error(reference) == nil, "\(name), \(activation), \(shape)")
                for threads in threadCounts where threads != 2 {
                    let other = with(isa: isa, threads: threads) { Results(reference) }
                    #expect(results.difference(other) == nil, "\(name), \(threads) threads, \(activation), \(shape)")
                }
            }
        }

        @Test(arguments: 0..<240)
        func generatedShapes(seed: Int) {
            let activation = ActivationCase.all[seed * 7 % ActivationCase.all.count]
            Self.verify(.generated(seed: seed, activation: activation), activation, seed: seed)
        }

        /// Shapes chosen for what they touch: (size, channels, out, kernel, stride, pad, outputs).
        @Test(arguments: [
            (16, 4, 4, 3, 1, 1, 16), // the depth net
            (32, 3, 16, 3, 1, 1, 32), // an image
            (1, 200, 7, 1, 1, 0, 1), // one pixel
            (9, 7, 1, 1, 3, 0, 3), // 1×1, strided
            (9, 5, 3, 2, 5, 1, 2), // stride beyond the kernel
            (2, 3, 5, 7, 1, 3, 2), // kernel beyond the image
            (5, 1, 200, 5, 1, 0, 1), // one window
            (40, 2, 3, 3, 1, 1, 40), // runs longer than a piece and a group
            (300, 1, 1, 1, 1, 0, 300), // wide
        ])
        func chosenShapes(_ s: (Int, Int, Int, Int, Int, Int, Int)) {
            for (index, name) in ["identity", "mirrored relu", "mirrored prelu per position"].enumerated() {
                let activation = ActivationCase.all.first { $0.name == name }!
                let shape = ck_convolution(
                    batch: 3, height: s.0, width: s.0, channels: s.1, out: (s.6, s.6, s.2), kernel: (s.3, s.3),
                    stride: (s.4, s.4), pad: (s.5, s.5), activation: activation.activation)
                Self.verify(shape, activation, seed: index)
            }
        }

        /// Without bias, bias gradient or dz the rest is unchanged.
        @Test(arguments: availableISAs)
        func optionalPointers(isa: ck_isa) {
            let activation = ActivationCase.all.first { $0.name == "mirrored prelu per channel" }!
            var shape = ck_convolution(
                batch: 3, height: 7, width: 6, channels: 5, out: (7, 6, 9), kernel: (3, 3), pad: (1, 1),
                activation: activation.activation)
            let r = ReferenceConvolution(
                shape: shape, activation: activation, integers: true, misaligned: false, seed: 5)
            with(isa: isa) {
                let y = Buffer(r.dy.count), dslopes = Buffer(r.slopes.count), dweights = Buffer(r.weights.count)
                func scratch(_ pass: ck_pass) -> Buffer { Buffer(scratchBytes: ck_convolution_scratch(&shape, pass)) }
                let forward = scratch(CK_FORWARD), data = scratch(CK_BACKWARD_DATA), weights = scratch(CK_BACKWARD_WEIGHTS)
                ck_convolution_forward(
                    &shape, r.z.pointer, r.slopes.pointer, r.weights.pointer, nil, y.pointer, forward.pointer)
                ck_convolution_backward_data(
                    &shape, r.z.pointer, r.slopes.pointer, r.weights.pointer, r.dy.pointer, nil, false, dslopes.pointer,
                    data.pointer)
                ck_convolution_backward_weights(
                    &shape, r.z.pointer, r.slopes.pointer, r.dy.pointer, dweights.pointer, nil, weights.pointer)
                let withoutBias = r.y.enumerated().map { $1 - Double(r.bias.pointer[$0 % r.bias.count]) }
                #expect(firstError(y, withoutBias, bound: { _ in 0 }, "y") == nil)
                #expect(firstError(dslopes, r.dslopes, bound: { _ in 0 }, "dslopes") == nil)
                #expect(firstError(dweights, r.dweights, bound: { _ in 0 }, "dweights") == nil)
            }
        }

        /// A NaN in z, the weights or dy reaches exactly what depends on it.
        @Test(arguments: availableISAs)
        func propagatesNaN(isa: ck_isa) {
            for activation in ActivationCase.all {
                let shape = ck_convolution(
                    batch: 2, height: 9, width: 8, channels: 3, out: (9, 8, 5), kernel: (3, 3), pad: (1, 1),
                    activation: activation.activation)
                func results(_ change: (ReferenceConvolution) -> Void) -> Results {
                    let inputs = ReferenceConvolution(
                        shape: shape, activation: activation, integers: false, misaligned: false, seed: 9)
                    change(inputs)
                    return with(isa: isa) { Results(inputs) }
                }
                let clean = results { _ in }
                let pixel = (4 * 8 + 4)
                let badZ = results { $0.z.pointer[pixel * 3 + 1] = .nan }
                for index in 0..<clean.y.count {
                    let at = index / 5, row = at / 8, column = at % 8
                    let reached = row < 9 && abs(row - 4) <= 1 && abs(column - 4) <= 1
                    #expect(badZ.y.pointer[index].isNaN == reached, "\(activation), y[\(index)]")
                    if !reached { #expect(badZ.y.pointer[index] == clean.y.pointer[index]) }
                }
                let smooth = activation.members.contains { $0.function == CK_SWISH }
                for index in 0..<clean.dz.count where index != pixel * 3 + 1 {
                    #expect(badZ.dz.pointer[index] == clean.dz.pointer[index], "\(activation), dz[\(index)]")
                }
                #expect(badZ.dz.pointer[pixel * 3 + 1].isNaN == smooth, "\(activation)")
                let badWeight = results { $0.weights.pointer[(4 * $0.weights.count / 9) + 2] = .nan }
                for index in 0..<clean.y.count { #expect(badWeight.y.pointer[index].isNaN == (index % 5 == 2)) }
                let badGradient = results { $0.dy.pointer[3] = .nan }
                #expect(badGradient.dbias.pointer[3].isNaN && !badGradient.dbias.pointer[2].isNaN)
                #expect(badGradient.dweights.pointer[8 * badGradient.dweights.count / 9 + 3].isNaN)
            }
        }

        @Test func refusesWhatItCannotTake() {
            let good = ck_convolution(
                batch: 1, height: 8, width: 8, channels: 3, out: (8, 8, 4), kernel: (3, 3), pad: (1, 1),
                activation: ActivationCase.all[0].activation)
            func reason(_ change: (inout ck_convolution) -> Void) -> String? {
                var shape = good
                change(&shape)
                return ck_convolution_check(&shape).map { String(cString: $0) }
            }
            #expect(reason { _ in } == nil)
            let sizes: [WritableKeyPath<ck_convolution, Int64>] = [
                \.batch, \.height, \.width, \.channels, \.out_height, \.out_width, \.out_channels, \.kernel_h, \.kernel_w,
                \.stride_h, \.stride_w,
            ]
            for size in sizes {
                #expect(reason { $0[keyPath: size] = 0 } != nil)
                #expect(reason { $0[keyPath: size] = -1 } != nil)
                #expect(reason { $0[keyPath: size] = .max } != nil)
            }
            #expect(reason { $0.pad_top = -1 } != nil)
            #expect(reason { $0.pad_left = -1 } != nil)
            #expect(reason { $0.pad_top = 3 } != nil)
            #expect(reason { $0.pad_left = 3 } != nil)
            #expect(reason { $0.out_height = 9 } == nil)
            #expect(reason { $0.out_height = 10 } != nil)
            #expect(reason { $0.out_width = 10 } != nil)
            #expect(reason { $0.algorithm = ck_algorithm(rawValue: 77) } != nil)
            #expect(reason { $0.activation.member_count = 0 } != nil)
            #expect(reason { $0.activation.member_count = 9 } != nil)
            #expect(reason { $0.activation.members.0.input_scale = .nan } != nil)
            #expect(reason { $0.activation.members.0.function = ck_function(rawValue: 50) } != nil)
            #expect(
                reason {
                    $0.batch = 1 << 31
                    $0.channels = 1 << 31
                } != nil)
        }

        @Test func scratchNeverShrinksWithTheBatch() {
            for seed in 0..<60 {
                let activation = ActivationCase.all[seed % ActivationCase.all.count]
                var shape = ck_convolution.generated(seed: seed, activation: activation)
                for pass in [CK_FORWARD, CK_BACKWARD_DATA, CK_BACKWARD_WEIGHTS] {
                    var before = 0
                    for batch in 1...40 {
                        shape.batch = Int64(batch)
                        let size = ck_convolution_scratch(&shape, pass)
                        #expect(size >= before)
                        before = size
                    }
                }
            }
        }
    }
}
