import CKernels
import Testing

@Suite struct WinogradTests {
    @Test(arguments: 0..<160)
    func generatedShapes(seed: Int) {
        let activation = ActivationCase.all[seed * 7 % ActivationCase.all.count]
        Self.verify(Self.generated(seed: seed, activation: activation), activation, seed: seed)
    }

    /// Shapes that each reach a special case: (batch, height, width, channels, out, stride, pad, out height, out
    /// width).
    @Test(arguments: [
        (2, 16, 16, 16, 24, 1, 1, 16, 16),  // whole tiles
        (1, 1, 1, 3, 4, 1, 1, 1, 1),  // one pixel
        (1, 1, 1, 3, 4, 2, 1, 1, 1),
        (2, 9, 70, 2, 3, 1, 1, 9, 70),  // a row of tiles in segments
        (1, 3, 150, 2, 3, 2, 0, 1, 75),
        (1, 6, 6, 2, 3, 1, 2, 8, 8),  // padding of 2: more output than input
        (1, 33, 17, 2, 3, 2, 2, 17, 9),
        (1, 11, 7, 2, 3, 2, 1, 6, 4),  // odd sizes and padding
        (1, 9, 9, 2, 3, 1, 0, 3, 2),  // windows that leave pixels out
        (21, 8, 8, 3, 17, 1, 1, 8, 8),  // images in uneven groups
        (1, 4, 4, 300, 5, 1, 1, 4, 4),  // more channels than a plane or a slice holds
        (1, 8, 8, 150, 5, 2, 0, 4, 4),
        (1, 4, 4, 5, 200, 1, 1, 4, 4),
        (3, 14, 18, 20, 16, 1, 1, 14, 18),  // one vector of columns
        (2, 13, 30, 17, 10, 1, 1, 13, 30),  // and a part of one
        (2, 15, 15, 20, 24, 1, 1, 15, 15),  // whole tiles of 5×5
        (3, 15, 15, 16, 40, 1, 0, 13, 13),  // and parts of them
        (1, 10, 90, 3, 5, 1, 1, 10, 90),
        (12, 5, 10, 70, 4, 1, 2, 7, 12),
    ])
    func chosenShapes(_ s: (Int, Int, Int, Int, Int, Int, Int, Int, Int)) {
        for (index, name) in ["identity", "mirrored relu", "mirrored prelu per position"].enumerated() {
            let activation = ActivationCase.all.first { $0.name == name }!
            let shape = ck_convolution(
                batch: s.0, height: s.1, width: s.2, channels: s.3, out: (s.7, s.8, s.4), kernel: (3, 3),
                stride: (s.5, s.5), pad: (s.6, s.6), activation: activation.activation, algorithm: CK_WINOGRAD)
            Self.verify(shape, activation, seed: index)
        }
    }

    /// A NaN reaches at least all results that depend on the NaN.
    @Test(arguments: availableISAs)
    func propagatesNaN(isa: ck_isa) {
        for activation in ActivationCase.all {
            for stride in [1, 2] {
                let shape = ck_convolution(
                    batch: 1, height: 9, width: 8, channels: 3, out: (9 / stride, 8 / stride, 5), kernel: (3, 3),
                    stride: (stride, stride), pad: (1, 1), activation: activation.activation, algorithm: CK_WINOGRAD)
                func results(_ change: (ReferenceConvolution) -> Void) -> LinearResults {
                    .spoiled(shape, activation, isa: isa, change)
                }
                let clean = results { _ in }
                #expect(clean.y.values.filter(\.isNaN).isEmpty && clean.dz.values.filter(\.isNaN).isEmpty)
                let badZ = results { $0.z.pointer[(4 * 8 + 4) * 3 + 1] = .nan }
                let badGradient = results { $0.dy.pointer[(1 * 8 / stride + 1) * 5 + 3] = .nan }
                for index in 0..<clean.y.count {
                    let row = index / 5 / (8 / stride), column = index / 5 % (8 / stride)
                    if abs(row * stride - 4) <= 1, abs(column * stride - 4) <= 1 {
                        #expect(badZ.y.pointer[index].isNaN, "\(activation), stride \(stride), y[\(index)]")
                    }
                }
                #expect(badGradient.dbias.pointer[3].isNaN && !badGradient.dbias.pointer[2].isNaN)
                for tap in 0..<9 {
                    #expect(badGradient.dweights.pointer[tap * badGradient.dweights.count / 9 + 3].isNaN)
                }
                let badWeight = results { $0.weights.pointer[4 * $0.weights.count / 9 + 2] = .nan }
                for index in 0..<clean.y.count {
                    #expect(badWeight.y.pointer[index].isNaN == (index % 5 == 2))
                }
            }
        }
    }

    @Test func takesOnlyWhatItCan() {
        let activation = ActivationCase.all[0].activation
        func reason(kernel: (Int, Int), stride: (Int, Int)) -> String? {
            var shape = ck_convolution(
                batch: 1, height: 12, width: 12, channels: 3, out: (3, 3, 4), kernel: kernel, stride: stride,
                activation: activation, algorithm: CK_WINOGRAD)
            return ck_convolution_check(&shape).map { String(cString: $0) }
        }
        #expect(reason(kernel: (3, 3), stride: (1, 1)) == nil)
        #expect(reason(kernel: (3, 3), stride: (2, 2)) == nil)
        #expect(reason(kernel: (3, 3), stride: (3, 3)) != nil)
        #expect(reason(kernel: (3, 3), stride: (1, 2)) != nil)
        #expect(reason(kernel: (3, 1), stride: (1, 1)) != nil)
        #expect(reason(kernel: (5, 5), stride: (1, 1)) != nil)
    }

    @Test(arguments: 0..<60)
    func scratchNeverShrinksWithTheBatch(seed: Int) {
        let activation = ActivationCase.all[seed % ActivationCase.all.count]
        #expect(Self.generated(seed: seed, activation: activation).scratchGrowsWithTheBatch(upTo: 150))
    }

    /// Batches of more images have more groups, and narrower slices of channels.
    @Test(arguments: [(13, 32, 700), (13, 64, 700), (32, 64, 110), (32, 16, 110)])
    func scratchOfManyGroups(size: Int, channels: Int, batch: Int) {
        for name in ["identity", "mirrored relu", "mirrored prelu per channel"] {
            let shape = ck_convolution(
                batch: 1, height: size, width: size, channels: channels, out: (size, size, channels), kernel: (3, 3),
                pad: (1, 1), activation: ActivationCase.all.first { $0.name == name }!.activation,
                algorithm: CK_WINOGRAD)
            #expect(shape.scratchGrowsWithTheBatch(upTo: batch), "\(name)")
        }
    }

    /// The cost model's choices where measurements are far apart.
    @Test func choosesByShape() {
        func choice(_ size: Int, _ channels: Int, _ filters: Int, stride: Int = 1, kernel: Int = 3) -> [ck_algorithm] {
            let out = (size + stride - 1) / stride
            var shape = ck_convolution(
                batch: 32, height: size, width: size, channels: channels, out: (out, out, filters),
                kernel: (kernel, kernel), stride: (stride, stride),
                pad: (stride == 1 ? kernel / 2 : 0, stride == 1 ? kernel / 2 : 0),
                activation: ActivationCase.all.first { $0.name == "mirrored relu" }!.activation)
            return [ck_convolution_choose(&shape, CK_FORWARD), ck_convolution_choose(&shape, CK_BACKWARD)]
        }
        #expect(choice(32, 96, 96) == [CK_WINOGRAD, CK_WINOGRAD])
        #expect(choice(16, 192, 192) == [CK_WINOGRAD, CK_WINOGRAD])
        #expect(choice(32, 96, 96, stride: 2) == [CK_WINOGRAD, CK_WINOGRAD])
        #expect(choice(16, 192, 192, stride: 2) == [CK_WINOGRAD, CK_WINOGRAD])
        #expect(choice(16, 4, 4) == [CK_DIRECT, CK_DIRECT])
        #expect(choice(32, 1, 96) == [CK_DIRECT, CK_DIRECT])
        #expect(choice(8, 192, 192, kernel: 1) == [CK_DIRECT, CK_DIRECT])
    }

    /// Tiles have 5×5 pixels where such tiles cover an image with at least a tenth fewer multiplications than tiles of
    /// 4×4.
    @Test(arguments: [
        (32, 1, 32, [4, 4]), (16, 1, 16, [4, 4]), (8, 1, 8, [4, 4]), (4, 1, 4, [4, 4]), (28, 1, 28, [4, 4]),
        (7, 1, 7, [4, 4]),
        (32, 0, 30, [5, 4]), (15, 1, 15, [5, 5]), (15, 0, 13, [5, 5]), (14, 1, 14, [5, 5]), (10, 1, 10, [5, 5]),
        (24, 1, 24, [4, 4]),
    ])
    func tilesFitTheImage(size: Int, pad: Int, out: Int, tiles: [Int64]) {
        for batch in [1, 32] {
            var shape = ck_convolution(
                batch: batch, height: size, width: size, channels: 64, out: (out, out, 64), kernel: (3, 3),
                stride: (1, 1),
                pad: (pad, pad), activation: ActivationCase.all[0].activation, algorithm: CK_WINOGRAD)
            #expect([CK_FORWARD, CK_BACKWARD].map { ck_convolution_tile(&shape, $0) } == tiles)
            shape.algorithm = CK_DIRECT
            #expect(ck_convolution_tile(&shape, CK_FORWARD) == 1)
        }
    }

    static func verify(_ shape: ck_convolution, _ activation: ActivationCase, seed: Int) {
        var shape = shape
        shape.single_threaded = seed % 4 == 1
        #expect(ck_convolution_check(&shape) == nil)
        LinearResults.verify(
            ReferenceConvolution(
                shape: shape, activation: activation, integers: false, misaligned: seed % 5 == 0,
                seed: UInt64(seed) + 2000))
    }

    /// A shape that is a function of `seed`, small enough for the reference.
    static func generated(seed: Int, activation: ActivationCase) -> ck_convolution {
        var generator = Generator(seed: UInt64(seed))
        let channelChoices = [1, 2, 3, 4, 7, 8, 13, 16, 17, 24, 33, 48, 64, 100]
        while true {
            let stride = generator.integer(1...2), pad = (generator.integer(0...2), generator.integer(0...2))
            let size = (generator.integer(1...20), generator.integer(1...20))
            func outputs(_ size: Int, _ pad: Int) -> Int {
                // The largest number of windows whose last window starts inside the image.
                let most = (size - 1 + pad) / stride + 1
                return seed % 3 == 0
                    ? generator.integer(1...most) : max(min((size + 2 * pad - 3) / stride + 1, most), 1)
            }
            let out = (outputs(size.0, pad.0), outputs(size.1, pad.1))
            let channels = channelChoices[generator.integer(0...channelChoices.count - 1)]
            let filters = channelChoices[generator.integer(0...channelChoices.count - 1)]
            let batch = generator.integer(1...5)
            let products = batch * out.0 * out.1 * 9 * channels * filters * activation.members.count
            if products > 1_000_000 { continue }
            return ck_convolution(
                batch: batch, height: size.0, width: size.1, channels: channels, out: (out.0, out.1, filters),
                kernel: (3, 3), stride: (stride, stride), pad: (pad.0, pad.1), activation: activation.activation,
                algorithm: CK_WINOGRAD)
        }
    }
}
