import CKernels

extension ck_convolution {
    init(
        batch: Int, height: Int, width: Int, channels: Int, out: (height: Int, width: Int, channels: Int),
        kernel: (Int, Int), stride: (Int, Int) = (1, 1), pad: (Int, Int) = (0, 0), activation: ck_activation,
        algorithm: ck_algorithm = CK_DIRECT, singleThreaded: Bool = false
    ) {
        self.init(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            out_height: Int64(out.height), out_width: Int64(out.width), out_channels: Int64(out.channels),
            kernel_h: Int64(kernel.0), kernel_w: Int64(kernel.1), stride_h: Int64(stride.0), stride_w: Int64(stride.1),
            pad_top: Int64(pad.0), pad_left: Int64(pad.1), activation: activation, algorithm: algorithm,
            single_threaded: singleThreaded)
    }

    /// True if a larger batch, up to a number of images, never needs less scratch in either pass.
    func scratchGrowsWithTheBatch(upTo most: Int) -> Bool {
        [CK_FORWARD, CK_BACKWARD].allSatisfy { pass in
            let sizes = (1...most).map { batch in
                var shape = self
                shape.batch = Int64(batch)
                return ck_convolution_scratch(&shape, pass)
            }
            return zip(sizes, sizes.dropFirst()).allSatisfy { $0 <= $1 }
        }
    }

    /// A shape that is a function of `seed`, small enough for the reference.
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
            let products =
                batch * y.out * x.out * kernel.0 * kernel.1 * channels * outChannels
                * Int(activation.activation.member_count)
            if products > 1_500_000 || products < 20_000 && seed % 7 != 0 { continue }
            return ck_convolution(
                batch: batch, height: size.0, width: size.1, channels: channels, out: (y.out, x.out, outChannels),
                kernel: kernel, stride: stride, pad: (y.pad, x.pad), activation: activation.activation)
        }
    }
}
