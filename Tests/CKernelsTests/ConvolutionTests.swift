import CKernels
import Testing

@Suite struct ConvolutionTests {
    static func verify(_ shape: ck_convolution, _ activation: ActivationCase, seed: Int) {
        var shape = shape
        shape.single_threaded = seed % 4 == 1
        #expect(ck_convolution_check(&shape) == nil)
        LinearResults.verify(
            ReferenceConvolution(
                shape: shape, activation: activation, integers: activation.isExact && seed % 2 == 0,
                misaligned: seed % 5 == 0, seed: UInt64(seed) + 1000))
    }

    @Test(arguments: 0..<240)
    func generatedShapes(seed: Int) {
        let activation = ActivationCase.all[seed * 7 % ActivationCase.all.count]
        Self.verify(.generated(seed: seed, activation: activation), activation, seed: seed)
    }

    /// Shapes that each reach a special case: (size, channels, out, kernel, stride, pad, outputs).
    @Test(arguments: [
        (16, 4, 4, 3, 1, 1, 16),  // the depth net
        (32, 3, 16, 3, 1, 1, 32),  // an image
        (1, 200, 7, 1, 1, 0, 1),  // one pixel
        (9, 7, 1, 1, 3, 0, 3),  // 1×1, strided
        (9, 5, 3, 2, 5, 1, 2),  // stride beyond the kernel
        (2, 3, 5, 7, 1, 3, 2),  // kernel beyond the image
        (5, 1, 200, 5, 1, 0, 1),  // one window
        (40, 2, 3, 3, 1, 1, 40),  // sums longer than a piece, more pixels than a slab
        (300, 1, 1, 1, 1, 0, 300),  // wide
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

    /// Batches in which several images share a task and its partial gradients.
    @Test(arguments: ActivationCase.all)
    func manyImages(activation: ActivationCase) {
        for (seed, stride) in [1, 2].enumerated() {
            let shape = ck_convolution(
                batch: 29, height: 6, width: 5, channels: 3, out: (6 / stride, (5 + stride - 1) / stride, 4),
                kernel: (3, 3), stride: (stride, stride), pad: (1, 1), activation: activation.activation)
            Self.verify(shape, activation, seed: seed)
        }
    }

    /// Without bias, bias gradient or dz, the other results are unchanged.
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
            let forward = scratch(CK_FORWARD), data = scratch(CK_BACKWARD), weights = scratch(CK_BACKWARD)
            ck_convolution_forward(
                &shape, r.z.pointer, r.slopes.pointer, r.weights.pointer, nil, y.pointer, forward.pointer)
            ck_convolution_backward(
                &shape, r.z.pointer, r.slopes.pointer, r.weights.pointer, r.dy.pointer, nil, false, dslopes.pointer,
                nil,
                nil, data.pointer)
            ck_convolution_backward(
                &shape, r.z.pointer, r.slopes.pointer, r.weights.pointer, r.dy.pointer, nil, false, nil,
                dweights.pointer, nil, weights.pointer)
            let withoutBias = r.y.enumerated().map { $1 - Double(r.bias.pointer[$0 % r.bias.count]) }
            #expect(firstError(y, withoutBias, bound: { _ in 0 }, "y") == nil)
            #expect(firstError(dslopes, r.dslopes, bound: { _ in 0 }, "dslopes") == nil)
            #expect(firstError(dweights, r.dweights, bound: { _ in 0 }, "dweights") == nil)
        }
    }

    /// A NaN in z, the weights or dy reaches exactly the results that depend on the NaN.
    @Test(arguments: availableISAs)
    func propagatesNaN(isa: ck_isa) {
        for activation in ActivationCase.all {
            let shape = ck_convolution(
                batch: 2, height: 9, width: 8, channels: 3, out: (9, 8, 5), kernel: (3, 3), pad: (1, 1),
                activation: activation.activation)
            func results(_ change: (ReferenceConvolution) -> Void) -> LinearResults {
                .spoiled(shape, activation, isa: isa, change)
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

    @Test(arguments: 0..<60)
    func scratchNeverShrinksWithTheBatch(seed: Int) {
        let activation = ActivationCase.all[seed % ActivationCase.all.count]
        #expect(ck_convolution.generated(seed: seed, activation: activation).scratchGrowsWithTheBatch(upTo: 150))
    }
}
