import CKernels
import Testing

@Suite struct ConvolutionDenseTests {
    /// The activations without learned slopes.
    private static let activations =
        ActivationCase.all.filter { $0.slopeCount(positions: 1, channels: 1) == 0 }
        + [
            ActivationCase(
                "four leaky relus",
                [(1, 1), (-1, 1), (0.5, -2), (-2, 0.5)].map {
                    ck_member(function: CK_LEAKY_RELU, input_scale: $0.0, output_scale: $0.1, parameter: 0.5)
                })
        ]

    private static let noActivation = ActivationCase.all[0].activation

    /// A shape that is a function of `seed`, small enough for the reference.
    private static func shape(seed: Int, activation: ActivationCase) -> ck_convolution_dense {
        var generator = Generator(seed: UInt64(seed) + 900)
        let batches = [1, 7, 8, 16, 17, 32, 33, 40, 70]
        while true {
            let batch = batches[generator.integer(0...batches.count - 1)], channels = generator.integer(1...5)
            let filters = generator.integer(1...(seed % 3 == 0 ? 140 : 40)), features = generator.integer(1...16)
            let longest = seed % 4 == 0 ? 23 : 9
            func axis() -> (size: Int, out: Int, kernel: Int, stride: Int, pad: Int) {
                let size = generator.integer(1...longest)
                let kernel = generator.integer(1...5), stride = generator.integer(1...3)
                if size >= kernel, generator.integer(0...1) == 0 {
                    return (size, (size - kernel) / stride + 1, kernel, stride, 0)
                }
                let pad = generator.integer(0...kernel - 1)
                return (size, generator.integer(1...(size - 1 + pad) / stride + 1), kernel, stride, pad)
            }
            let y = axis(), x = axis()
            let products =
                batch * y.out * x.out * filters
                * (y.kernel * x.kernel * channels + features * activation.members.count)
            if products > 2_000_000 || products < 50_000 && seed % 5 != 0 { continue }
            return ck_convolution_dense(
                convolution: ck_convolution(
                    batch: batch, height: y.size, width: x.size, channels: channels, out: (y.out, x.out, filters),
                    kernel: (y.kernel, x.kernel), stride: (y.stride, x.stride), pad: (y.pad, x.pad),
                    activation: noActivation),
                activation: activation.activation, out_features: Int64(features))
        }
    }

    private static func reference(seed: Int) -> ReferenceConvolutionDense {
        let activation = activations[seed * 7 % activations.count]
        return ReferenceConvolutionDense(
            shape: shape(seed: seed, activation: activation), activation: activation,
            integers: activation.isExact && seed % 2 == 0, misaligned: seed % 5 == 0, seed: UInt64(seed) + 3000)
    }

    /// Against the reference in double: every instruction set is within the bounds and gives the same bits for any
    /// number of threads.
    @Test(arguments: 0..<160)
    func generatedShapes(seed: Int) {
        Self.verify(Self.reference(seed: seed))
    }

    static func verify(_ reference: ReferenceConvolutionDense) {
        withUnsafePointer(to: reference.shape) { #expect(ck_convolution_dense_check($0) == nil) }
        for isa in availableISAs {
            let name = "\(String(cString: ck_isa_name(isa))), \(reference.activation), \(reference.shape)"
            let results = with(isa: isa) { ConvolutionDenseResults(reference) }
            #expect(results.error(reference) == nil, "\(name)")
            for threads in threadCounts where threads != 2 {
                let other = with(isa: isa, threads: threads) { ConvolutionDenseResults(reference) }
                #expect(results.difference(other) == nil, "\(threads) threads, \(name)")
            }
        }
    }

    /// Integers give the same results as a convolution and a dense layer on their own, for any activation and any
    /// number of outputs.
    @Test(arguments: 1...16)
    func isTheTwoLayers(features: Int) {
        for activation in Self.activations where activation.isExact {
            let shape = ck_convolution_dense(
                convolution: ck_convolution(
                    batch: 19, height: 9, width: 8, channels: 2, out: (5, 8, 37), kernel: (3, 3), stride: (2, 1),
                    pad: (1, 1),
                    activation: Self.noActivation),
                activation: activation.activation, out_features: Int64(features))
            let r = ReferenceConvolutionDense(
                shape: shape, activation: activation, integers: true, misaligned: false, seed: UInt64(features))
            for isa in availableISAs {
                let name = "\(String(cString: ck_isa_name(isa))), \(activation), \(features) outputs"
                with(isa: isa) {
                    let pair = ConvolutionDenseResults(r), apart = Self.apart(r)
                    for (result, expected) in zip(pair.all, apart) {
                        #expect(
                            firstError(result.buffer, expected.values.map(Double.init), bound: { _ in 0 }, result.name)
                                == nil,
                            "\(name)")
                    }
                }
            }
        }
    }

    /// The results of the two layers' own kernels, in the order of `ConvolutionDenseResults.all`.
    private static func apart(_ r: ReferenceConvolutionDense) -> [Buffer] {
        var c = r.shape.convolution
        var dense = ck_dense(
            batch: c.batch, positions: c.out_height * c.out_width, channels: c.out_channels,
            out_features: r.shape.out_features, activation: r.shape.activation)
        let zCount = Int(c.batch * c.out_height * c.out_width * c.out_channels)
        let z = Buffer(zCount), dz = Buffer(zCount), y = Buffer(r.y.values.count)
        let dweights = Buffer(r.weights.count), dbias = Buffer(r.bias.count)
        let ddenseWeights = Buffer(r.denseWeights.count), ddenseBias = Buffer(r.denseBias.count)
        let sizes = [CK_FORWARD, CK_BACKWARD].flatMap {
            [ck_convolution_scratch(&c, $0), ck_dense_scratch(&dense, $0)]
        }
        let scratch = Buffer(scratchBytes: sizes.max() ?? 0)
        ck_convolution_forward(
            &c, r.input.pointer, nil, r.weights.pointer, r.bias.pointer, z.pointer, scratch.pointer)
        ck_dense_forward(
            &dense, z.pointer, nil, r.denseWeights.pointer, r.denseBias.pointer, y.pointer, scratch.pointer)
        ck_dense_backward(
            &dense, z.pointer, nil, r.denseWeights.pointer, r.dy.pointer, dz.pointer, false, nil, ddenseWeights.pointer,
            ddenseBias.pointer, scratch.pointer)
        ck_convolution_backward(
            &c, r.input.pointer, nil, r.weights.pointer, dz.pointer, nil, false, nil, dweights.pointer, dbias.pointer,
            scratch.pointer)
        return withExtendedLifetime([z, dz, scratch]) { [y, dweights, dbias, ddenseWeights, ddenseBias] }
    }

    /// Forward and backward compute the bits of the convolution alone. Dense weights that pick each filter show the
    /// numbers of the forward pass. Output gradients that pick each image show the numbers of the backward pass.
    @Test(arguments: availableISAs)
    func convolvesAsDirectDoes(isa: ck_isa) {
        let shape = ck_convolution_dense(
            convolution: ck_convolution(
                batch: 16, height: 3, width: 4, channels: 3, out: (1, 1, 16), kernel: (3, 3), pad: (1, 1),
                activation: Self.noActivation),
            activation: Self.noActivation, out_features: 16)
        let r = ReferenceConvolutionDense(
            shape: shape, activation: ActivationCase.all[0], integers: false, misaligned: false, seed: 12)
        for index in 0..<16 { r.denseBias.pointer[index] = 0 }
        for identity in [r.denseWeights, r.dy] {
            for index in 0..<256 { identity.pointer[index] = index % 17 == 0 ? 1 : 0 }
        }
        let z = Buffer(256), byFilter = Buffer(256)
        let pair = with(isa: isa) {
            var c = shape.convolution
            let scratch = Buffer(scratchBytes: ck_convolution_scratch(&c, CK_FORWARD))
            ck_convolution_forward(
                &c, r.input.pointer, nil, r.weights.pointer, r.bias.pointer, z.pointer, scratch.pointer)
            return withExtendedLifetime(scratch) { ConvolutionDenseResults(r) }
        }
        for index in 0..<256 { byFilter.pointer[index % 16 * 16 + index / 16] = z.pointer[index] }
        #expect(firstDifference(pair.y, z, "y") == nil)
        #expect(firstDifference(pair.ddenseWeights, byFilter, "ddense_weights") == nil)
    }

    /// Calls without biases give the results of biases of zero, and no gradients of biases.
    @Test(arguments: availableISAs)
    func withoutBiases(isa: ck_isa) {
        let r = Self.reference(seed: 7)
        let without = with(isa: isa) { ConvolutionDenseResults(r, usesBias: false) }
        for bias in [r.bias, r.denseBias] { for index in 0..<bias.count { bias.pointer[index] = 0 } }
        let zero = with(isa: isa) { ConvolutionDenseResults(r) }
        for name in ["y", "dweights", "ddense_weights"] {
            let pair = [without, zero].map { results in results.all.first { $0.name == name }!.buffer }
            #expect(firstDifference(pair[0], pair[1], name) == nil)
        }
        let untouched = without.dbias.values + without.ddenseBias.values
        #expect(untouched.allSatisfy { $0.isNaN })
    }

    /// A NaN in an image reaches all outputs of this image whose windows hold the NaN, and no other image.
    @Test(arguments: availableISAs)
    func imagesDoNotMix(isa: ck_isa) {
        for activation in Self.activations {
            let shape = ck_convolution_dense(
                convolution: ck_convolution(
                    batch: 21, height: 6, width: 5, channels: 3, out: (6, 5, 35), kernel: (3, 3), pad: (1, 1),
                    activation: Self.noActivation),
                activation: activation.activation, out_features: 10)
            func results(_ change: (ReferenceConvolutionDense) -> Void) -> ConvolutionDenseResults {
                let r = ReferenceConvolutionDense(
                    shape: shape, activation: activation, integers: false, misaligned: false, seed: 4)
                change(r)
                return with(isa: isa) { ConvolutionDenseResults(r) }
            }
            let clean = results { _ in }
            let bad = results { $0.input.pointer[13 * 90 + 40] = .nan }
            for index in 0..<clean.y.count {
                if index / 10 == 13 {
                    #expect(bad.y.pointer[index].isNaN, "\(activation)")
                } else {
                    #expect(bad.y.pointer[index] == clean.y.pointer[index], "\(activation)")
                }
            }
            #expect(bad.dweights.values.contains(where: \.isNaN) && bad.ddenseWeights.values.contains(where: \.isNaN))
            let badGradient = results { $0.dy.pointer[13 * 10 + 3] = .nan }
            #expect(badGradient.dbias.values.allSatisfy { $0.isNaN }, "\(activation)")
            for index in 0..<clean.ddenseWeights.count {
                let isBad = badGradient.ddenseWeights.pointer[index].isNaN
                #expect(isBad == (index % 10 == 3), "\(activation)")
            }
        }
    }

    @Test func refusesWhatItCannotTake() {
        let good = Self.shape(seed: 1, activation: ActivationCase.relu)
        func reason(_ change: (inout ck_convolution_dense) -> Void) -> String? {
            var shape = good
            change(&shape)
            return ck_convolution_dense_check(&shape).map { String(cString: $0) }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { $0.convolution.algorithm = CK_WINOGRAD } == nil, "it isn't read")
        #expect(reason { $0.out_features = 0 } != nil)
        #expect(reason { $0.out_features = Int64(CK_MAX_INTO_DENSE_FEATURES) } == nil)
        #expect(reason { $0.out_features = Int64(CK_MAX_INTO_DENSE_FEATURES) + 1 } != nil)
        #expect(reason { $0.convolution.batch = 0 } != nil)
        #expect(reason { $0.convolution.batch = .max } != nil)
        #expect(reason { $0.convolution.channels = 1000 } != nil, "too many terms")
        #expect(reason { $0.convolution.activation = ActivationCase.relu.activation } != nil)
        #expect(reason { $0.activation.member_count = 0 } != nil)
        #expect(reason { $0.activation.applied = true } != nil)
        let sloped = ActivationCase.all.first { $0.slopeCount(positions: 1, channels: 1) > 0 }!
        #expect(reason { $0.activation = sloped.activation } != nil)
    }

    @Test func scratchNeverShrinksWithTheBatch() {
        for seed in 0..<20 {
            var shape = Self.shape(seed: seed, activation: Self.activations[seed % Self.activations.count])
            var before = [0, 0]
            for batch in 1...70 {
                shape.convolution.batch = Int64(batch)
                let sizes = [CK_FORWARD, CK_BACKWARD].map { ck_convolution_dense_scratch(&shape, $0) }
                #expect(sizes[0] >= before[0] && sizes[1] >= before[1])
                before = sizes
            }
        }
    }
}
