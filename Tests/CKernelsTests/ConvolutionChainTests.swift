import CKernels
import Testing

@Suite struct ConvolutionChainTests {
    /// A random layer that reads `input` = [height, width, channels].
    private static func shape(
        reading input: (Int, Int, Int), batch: Int, strided: Bool, activation: ActivationCase,
        _ generator: inout Generator
    ) -> ck_convolution {
        let outChannels = generator.integer(1...9)
        func axis(_ size: Int) -> (out: Int, kernel: Int, stride: Int, pad: Int) {
            let kernel = generator.integer(1...5), stride = strided ? generator.integer(1...3) : 1
            let same = (size + stride - 1) / stride
            switch generator.integer(0...3) {
            case 0 where size >= kernel: return ((size - kernel) / stride + 1, kernel, stride, 0)
            case 1:
                let pad = generator.integer(0...kernel - 1)
                return (generator.integer(1...(size - 1 + pad) / stride + 1), kernel, stride, pad)
            default: return (same, kernel, stride, max((same - 1) * stride + kernel - size, 0) / 2)
            }
        }
        let y = axis(input.0), x = axis(input.1)
        return ck_convolution(
            batch: batch, height: input.0, width: input.1, channels: input.2, out: (y.out, x.out, outChannels),
            kernel: (y.kernel, x.kernel), stride: (y.stride, x.stride), pad: (y.pad, x.pad),
            activation: activation.activation)
    }

    /// One layer against the reference in double: every instruction set is within the bounds and gives the same bits
    /// for any number of threads.
    @Test(arguments: 0..<160)
    func generatedLayers(seed: Int) {
        var generator = Generator(seed: UInt64(seed) + 500)
        let activation = ActivationCase.all[seed * 7 % ActivationCase.all.count]
        let batch = seed % 8 == 0 ? generator.integer(15...37) : generator.integer(1...9)
        let largest = batch > 9 ? 7 : 17
        let input = (generator.integer(1...largest), generator.integer(1...largest), generator.integer(1...8))
        let shape = Self.shape(
            reading: input, batch: batch, strided: seed % 5 == 4, activation: activation, &generator)
        let reference = ReferenceConvolution(
            shape: shape, activation: activation, integers: activation.isExact && seed % 2 == 0,
            misaligned: seed % 5 == 0, seed: UInt64(seed) + 2000)
        Self.verify(reference)
    }

    /// A chain of the reference's convolution alone.
    static func verify(_ reference: ReferenceConvolution) {
        let inputs = ChainInputs(reference)
        #expect(inputs.withChain { ck_convolution_chain_check(&$0) } == nil)
        for isa in availableISAs {
            let name = "\(String(cString: ck_isa_name(isa))), \(reference.activation), \(reference.shape)"
            let results = with(isa: isa) { ChainResults(inputs) }
            #expect(results.error(reference) == nil, "\(name)")
            for threads in threadCounts where threads != 2 {
                let other = with(isa: isa, threads: threads) { ChainResults(inputs) }
                #expect(results.difference(other) == nil, "\(threads) threads, \(name)")
            }
        }
    }

    /// Layers that are a function of `seed`. For some seeds the first layer has a stride.
    private static func chain(seed: Int) -> ChainInputs {
        var generator = Generator(seed: UInt64(seed) + 700)
        let batch = seed % 4 == 0 ? generator.integer(17...35) : generator.integer(1...9)
        var size = (generator.integer(3...17), generator.integer(3...17), generator.integer(1...6))
        let z = Buffer(uniform: batch * size.0 * size.1 * size.2, &generator)
        let strided = seed % 3 == 2
        let layers = (0..<generator.integer(2...5)).map { index in
            let activation = ActivationCase.all[generator.integer(0...ActivationCase.all.count - 1)]
            let shape = shape(
                reading: size, batch: batch, strided: strided && index == 0, activation: activation, &generator)
            let weights = shape.kernel_h * shape.kernel_w * shape.channels * shape.out_channels
            let slopes = activation.slopeCount(positions: size.0 * size.1, channels: size.2)
            size = (Int(shape.out_height), Int(shape.out_width), Int(shape.out_channels))
            return ChainInputs.Layer(
                shape: shape, activation: activation,
                weights: Buffer(uniform: Int(weights) * activation.members.count, &generator),
                slopes: Buffer(uniform: slopes, &generator),
                bias: generator.integer(0...3) == 0 ? nil : Buffer(uniform: size.2, &generator))
        }
        return ChainInputs(
            batch: batch, layers: layers, z: z, dy: Buffer(uniform: batch * size.0 * size.1 * size.2, &generator),
            dzBefore: Buffer(uniform: z.count, &generator), givesInputGradient: !strided)
    }

    /// A chain of many layers has the same bits as chains of one layer, which the test above compares with the
    /// reference.
    @Test(arguments: 0..<60)
    func chainsAreTheirLayers(seed: Int) {
        let inputs = Self.chain(seed: seed)
        for isa in availableISAs {
            let name = "\(String(cString: ck_isa_name(isa))), seed \(seed)"
            let together = with(isa: isa) { ChainResults(inputs) }
            #expect(together.guardsIntact, "\(name)")
            for threads in threadCounts where threads != 2 {
                let other = with(isa: isa, threads: threads) { ChainResults(inputs) }
                #expect(together.difference(other) == nil, "\(threads) threads, \(name)")
            }
            var dy = inputs.dy
            var gradients: [Buffer] = []
            for (index, layer) in inputs.layers.enumerated().reversed() {
                let z = index == 0 ? inputs.z : together.outputs[index - 1]
                let one = with(isa: isa) {
                    ChainResults(
                        ChainInputs(
                            batch: inputs.batch, layers: [layer], z: z, dy: dy, dzBefore: Buffer(z.count),
                            givesInputGradient: index > 0 || inputs.givesInputGradient))
                }
                let y = index == inputs.layers.count - 1 ? together.y : together.outputs[index]
                #expect(firstDifference(one.y, y, "y of layer \(index)") == nil, "\(name)")
                gradients = one.gradients + gradients
                dy = one.dz
            }
            if inputs.givesInputGradient { #expect(firstDifference(dy, together.dz, "dz") == nil, "\(name)") }
            let unwanted =
                inputs.givesInputGradient || inputs.layers[0].slopes.count == 0
                ? nil : inputs.layers[0].parameters.count - 1
            for (index, pair) in zip(gradients, together.gradients).enumerated() where index != unwanted {
                #expect(firstDifference(pair.0, pair.1, "gradient \(index)") == nil, "\(name)")
            }
        }
    }

    /// Threads share the layers of a group if there are fewer groups than threads. Neither the pieces nor the threads
    /// change a bit. The activations are formed by tiles or in a plane, with slopes of a position and of a channel.
    @Test(arguments: ["mirrored relu", "relu", "mirrored prelu per position", "prelu per channel", "mirrored swish"])
    func groupsAreShared(activation name: String) throws {
        let activation = try #require(ActivationCase.all.first { $0.name == name })
        var generator = Generator(seed: 71)
        for (batch, stride) in [(5, 1), (37, 2)] {
            var size = (31, 23, 3)
            let z = Buffer(uniform: batch * size.0 * size.1 * size.2, &generator)
            let layers = (0..<3).map { index in
                let stride = index == 0 ? stride : 1
                let out = ((size.0 + stride - 1) / stride, (size.1 + stride - 1) / stride, index == 1 ? 7 : 4)
                let shape = ck_convolution(
                    batch: batch, height: size.0, width: size.1, channels: size.2, out: out,
                    kernel: (index == 0 ? 5 : 3, 3), stride: (stride, stride), pad: (index == 0 ? 2 : 1, 1),
                    activation: activation.activation)
                let weights = shape.kernel_h * shape.kernel_w * shape.channels * shape.out_channels
                let slopes = activation.slopeCount(positions: size.0 * size.1, channels: size.2)
                size = out
                return ChainInputs.Layer(
                    shape: shape, activation: activation,
                    weights: Buffer(uniform: Int(weights) * activation.members.count, &generator),
                    slopes: Buffer(uniform: slopes, &generator), bias: Buffer(uniform: out.2, &generator))
            }
            let inputs = ChainInputs(
                batch: batch, layers: layers, z: z, dy: Buffer(uniform: batch * size.0 * size.1 * size.2, &generator),
                dzBefore: Buffer(uniform: z.count, &generator), givesInputGradient: stride == 1)
            for isa in availableISAs {
                let one = with(isa: isa, threads: 1) { ChainResults(inputs) }
                #expect(one.guardsIntact)
                for threads in [2, 3, 7, 16, 64] as [Int32] {
                    let shared = with(isa: isa, threads: threads) { ChainResults(inputs) }
                    #expect(shared.guardsIntact)
                    #expect(one.difference(shared) == nil, "\(threads) threads, \(String(cString: ck_isa_name(isa)))")
                }
            }
        }
    }

    /// A chain of one group is cut into a call for each stage if several threads share the group.
    @Test func aGroupIsCutForItsThreads() {
        var generator = Generator(seed: 5)
        let activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        let shape = ck_convolution(
            batch: 3, height: 30, width: 30, channels: 4, out: (30, 30, 4), kernel: (3, 3), pad: (1, 1),
            activation: activation.activation)
        let inputs = ChainInputs(
            ReferenceConvolution(
                shape: shape, activation: activation, integers: false, misaligned: false, seed: generator.next()))
        func calls(threads: Int32) -> [Int] {
            final class Seen { var counts: [Int] = [] }
            let seen = Seen()
            var recorder = ck_recorder(
                context: Unmanaged.passUnretained(seen).toOpaque(),
                call_begins: { context, count, _ in
                    Unmanaged<Seen>.fromOpaque(context!).takeUnretainedValue().counts.append(Int(count))
                }, task_ends: { _, _, _ in }, call_ends: { _ in })
            withUnsafePointer(to: &recorder) { recorder in
                with(isa: availableISAs.last!, threads: threads) {
                    ck_set_own_recorder(recorder)
                    _ = ChainResults(inputs)
                    ck_set_own_recorder(nil)
                }
            }
            return seen.counts
        }
        #expect(calls(threads: 1) == [])
        #expect(calls(threads: 4).count > 5)
        #expect(calls(threads: 4).contains { $0 >= 8 })
    }

    /// For any z, forward and backward-data have the same bits as the convolutions that the chain replaces.
    @Test(arguments: ActivationCase.all)
    func sameBitsAsSingleConvolutions(activation: ActivationCase) {
        var generator = Generator(seed: 3)
        let shape = ck_convolution(
            batch: 9, height: 11, width: 7, channels: 3, out: (11, 7, 5), kernel: (3, 3), pad: (1, 1),
            activation: activation.activation)
        let reference = ReferenceConvolution(
            shape: shape, activation: activation, integers: false, misaligned: false, seed: generator.next())
        let special: [Float] = [.nan, -.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude]
        for (image, value) in special.enumerated() {
            for index in 0..<3 { reference.z.pointer[image * 11 * 7 * 3 + index * 70] = value }
        }
        for isa in availableISAs {
            let (chain, single) = with(isa: isa) { (ChainResults(ChainInputs(reference)), LinearResults(reference)) }
            #expect(firstDifference(chain.y, single.y, "y") == nil)
            #expect(firstDifference(chain.dz, single.dz, "dz") == nil)
        }
    }

    /// A NaN stays within its image, except in sums over images.
    @Test(arguments: availableISAs)
    func imagesDoNotMix(isa: ck_isa) {
        let clean = Self.chain(seed: 4), bad = Self.chain(seed: 4)
        let image = 3, zSize = clean.z.count / clean.batch, ySize = clean.dy.count / clean.batch
        bad.z.pointer[image * zSize + zSize / 2] = .nan
        bad.dy.pointer[image * ySize + ySize / 2] = .nan
        let (a, b) = with(isa: isa) { (ChainResults(clean), ChainResults(bad)) }
        for index in 0..<a.y.count where index / ySize != image { #expect(a.y.pointer[index] == b.y.pointer[index]) }
        for index in 0..<a.dz.count where index / zSize != image { #expect(a.dz.pointer[index] == b.dz.pointer[index]) }
        #expect((0..<ySize).contains { b.y.pointer[image * ySize + $0].isNaN })
        #expect((0..<zSize).contains { b.dz.pointer[image * zSize + $0].isNaN })
        #expect(b.gradients.allSatisfy { gradient in gradient.values.contains { $0.isNaN } })
    }

    @Test func refusesWhatItCannotTake() {
        let inputs = Self.chain(seed: 1)
        func reason(_ change: (inout ck_convolution_chain, inout [ck_chain_layer]) -> Void) -> String? {
            var layers = inputs.layers.map { ck_chain_layer(convolution: $0.shape, has_bias: true) }
            return inputs.withChain { chain in
                change(&chain, &layers)
                return layers.withUnsafeBufferPointer {
                    chain.layers = $0.baseAddress
                    return ck_convolution_chain_check(&chain).map { String(cString: $0) }
                }
            }
        }
        #expect(reason { _, _ in } == nil)
        #expect(reason { chain, _ in chain.layer_count = 0 } != nil)
        #expect(reason { chain, _ in chain.layer_count = 1 << 40 } != nil)
        #expect(reason { chain, _ in chain.batch = 0 } != nil)
        func isTooLarge(batch: Int64, size: Int64, channels: Int64, layers count: Int) -> Bool {
            reason { chain, layers in
                let activation = ActivationCase.all.first { $0.name == "identity" }!.activation
                let layer = ck_convolution(
                    batch: 1, height: Int(size), width: Int(size), channels: Int(channels),
                    out: (Int(size), Int(size), Int(channels)), kernel: (1, 1), activation: activation)
                (chain.batch, chain.layer_count) = (batch, Int64(count))
                layers = Array(repeating: ck_chain_layer(convolution: layer, has_bias: true), count: count)
            }?.contains("too large") == true
        }
        #expect(!isTooLarge(batch: 1, size: 1 << 22, channels: 2, layers: 100))
        #expect(isTooLarge(batch: 1, size: 1 << 22, channels: 2, layers: 4096), "saved pre-activations")
        #expect(isTooLarge(batch: 1 << 30, size: 1, channels: 2000, layers: 1000), "parts of the gradients")
        #expect(reason { _, layers in layers[1].convolution.channels += 1 } != nil)
        #expect(reason { _, layers in layers[1].convolution.height += 1 } != nil)
        #expect(reason { _, layers in layers[1].convolution.width += 1 } != nil)
        #expect(reason { _, layers in layers[1].convolution.activation.member_count = 0 } != nil)
        func stride(_ layer: inout ck_chain_layer) {
            layer.convolution.stride_h = 2
            layer.convolution.out_height = 1
        }
        #expect(
            reason { chain, layers in
                chain.layer_count = 1
                stride(&layers[0])
            } != nil, "the input's gradient is wanted")
        #expect(
            reason { chain, layers in
                chain.layer_count = 1
                chain.gives_input_gradient = false
                stride(&layers[0])
            } == nil)
    }

    @Test func memoryNeverShrinksWithTheBatch() {
        for seed in 0..<20 {
            let inputs = Self.chain(seed: seed)
            var saved = 0, scratch = 0
            for batch in 1...70 {
                inputs.withChain { chain in
                    chain.batch = Int64(batch)
                    #expect(ck_convolution_chain_saved(&chain) >= saved)
                    #expect(ck_convolution_chain_scratch(&chain) >= scratch)
                    saved = ck_convolution_chain_saved(&chain)
                    scratch = ck_convolution_chain_scratch(&chain)
                }
            }
        }
    }
}
