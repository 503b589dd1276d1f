import CKernels
import Testing

@Suite struct ActivationTests {
    /// The stand-alone activation's results, in guarded buffers with poisoned scratch.
    private struct Results {
        let out, dz, dzAccumulated, dslopes: Buffer
        let guardsIntact: Bool

        init(_ shape: ck_activation_shape, z: Buffer, slopes: Buffer, dout: Buffer, before: Buffer) {
            var shape = shape
            out = Buffer(dout.count)
            dz = Buffer(z.count)
            dzAccumulated = before.copy()
            dslopes = Buffer(slopes.count)
            let scratch = Buffer(scratchBytes: ck_activation_backward_scratch(&shape))
            let learned = slopes.count > 0 ? slopes.pointer : nil
            ck_activation_forward(&shape, z.pointer, learned, out.pointer)
            ck_activation_backward(
                &shape, z.pointer, learned, dout.pointer, dz.pointer, false, learned == nil ? nil : dslopes.pointer,
                scratch.pointer)
            ck_activation_backward(
                &shape, z.pointer, learned, dout.pointer, dzAccumulated.pointer, true, nil, scratch.pointer)
            guardsIntact = [out, dz, dzAccumulated, dslopes, scratch].allSatisfy(\.guardsIntact)
        }

        var outputs: [Buffer] { [out, dz, dzAccumulated, dslopes] }
    }

    /// (batch, positions, channels)
    static let sizes = [
        (1, 1, 1), (3, 1, 37), (2, 300, 3), (5, 64, 16), (29, 6, 5), (4, 9, 200), (2, 1500, 8), (11, 100, 100),
    ]

    @Test(arguments: ActivationCase.all, sizes)
    func matchesReference(activation: ActivationCase, sizes: (Int, Int, Int)) {
        let (batch, positions, channels) = sizes
        let shape = ck_activation_shape(
            batch: Int64(batch), positions: Int64(positions), channels: Int64(channels),
            activation: activation.activation)
        var generator = Generator(seed: UInt64(batch * 1000 + positions))
        let members = activation.members, count = batch * positions * channels
        let z = Buffer(uniform: count, &generator), dout = Buffer(uniform: count * members.count, &generator)
        let before = Buffer(uniform: count, &generator)
        let slopes = Buffer(
            uniform: activation.slopeCount(positions: positions, channels: channels), &generator)
        for index in 0..<count { z.pointer[index] *= index % 7 == 0 ? 40 : 4 }
        for index in stride(from: 0, to: count, by: 11) { z.pointer[index] = index % 2 == 0 ? 0 : -0.0 }

        // A few roundings in each term: 32·2⁻²⁴ of the term's size.
        let unit = 32 * 0x1p-24
        var out = [Double](repeating: 0, count: dout.count), outSize = out
        var dz = [Double](repeating: 0, count: count), dzSize = dz
        var dslopes = [Double](repeating: 0, count: slopes.count), dslopesSize = dslopes
        let perPosition = activation.activation.slope_sharing == CK_SLOPES_PER_POSITION
        for at in 0..<count {
            let channel = at % channels, position = at / channels, value = Double(z.pointer[at])
            dzSize[at] = abs(Double(before.pointer[at]))
            var learned = 0
            for (m, member) in members.enumerated() {
                let target = (position * members.count + m) * channels + channel
                var slope = 0.0
                let gradient = Double(dout.pointer[target])
                if member.function == CK_PRELU {
                    let index =
                        perPosition
                        ? (learned * positions + position % positions) * channels + channel
                        : learned * channels + channel
                    slope = Double(slopes.pointer[index])
                    let term = ReferenceMember.slopeDerivative(member, value) * gradient
                    dslopes[index] += term
                    dslopesSize[index] += abs(term) * Double(batch * positions)
                    learned += 1
                }
                out[target] = ReferenceMember.value(member, value, slope: slope)
                outSize[target] = abs(out[target])
                dz[at] += ReferenceMember.derivative(member, value, slope: slope) * gradient
                let scale = abs(Double(member.input_scale * member.output_scale))
                dzSize[at] += scale * (2 + abs(Double(member.input_scale) * value)) * abs(gradient)
            }
        }
        let accumulated = zip(dz, before.values).map { $0 + Double($1) }
        for isa in availableISAs {
            let name = String(cString: ck_isa_name(isa))
            let results = with(isa: isa) {
                Results(shape, z: z, slopes: slopes, dout: dout, before: before)
            }
            #expect(results.guardsIntact, "\(name)")
            // Where e^x underflows, a float underflows, too.
            let least = 1e-37
            #expect(firstError(results.out, out, bound: { unit * outSize[$0] + least }, "out") == nil, "\(name)")
            #expect(firstError(results.dz, dz, bound: { unit * dzSize[$0] + least }, "dz") == nil, "\(name)")
            #expect(
                firstError(results.dzAccumulated, accumulated, bound: { unit * dzSize[$0] + least }, "dz") == nil,
                "\(name)")
            #expect(
                firstError(results.dslopes, dslopes, bound: { unit * dslopesSize[$0] }, "dslopes") == nil, "\(name)")
            for threads in threadCounts where threads != 2 {
                let other = with(isa: isa, threads: threads) {
                    Results(shape, z: z, slopes: slopes, dout: dout, before: before)
                }
                for (a, b) in zip(results.outputs, other.outputs) {
                    #expect(firstDifference(a, b, "result") == nil, "\(name), \(threads) threads")
                }
            }
        }
    }

    /// NaN gives NaN; the infinities and large values give the functions' limits.
    @Test(arguments: availableISAs)
    func extremeInputs(isa: ck_isa) {
        let inputs: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, 100, -100, 0, -0.0, 1e-30]
        let limits: [(String, [Float])] = [
            ("relu", [.nan, .infinity, 0, 1e30, 0, 100, 0, 0, 0, 1e-30]),
            ("leaky relu", [.nan, .infinity, -.infinity, 1e30, -2.5e29, 100, -25, 0, 0, 1e-30]),
            ("elu", [.nan, .infinity, -0.75, 1e30, -0.75, 100, -0.75, 0, 0, 1e-30]),
            ("swish", [.nan, .infinity, .nan, 1e30, 0, 100, 0, 0, 0, 5e-31]),
        ]
        for (name, expected) in limits {
            let activation = ActivationCase.all.first { $0.name == name }!.activation
            var shape = ck_activation_shape(
                batch: 1, positions: 1, channels: Int64(inputs.count), activation: activation)
            let z = Buffer(inputs), out = Buffer(inputs.count)
            with(isa: isa) { ck_activation_forward(&shape, z.pointer, nil, out.pointer) }
            #expect(
                firstError(out, expected.map(Double.init), bound: { abs(Double(expected[$0])) * 1e-6 }, name) == nil)
        }
    }

    /// PyTorch's derivatives: where z is NaN, its functions with a slope have the slope.
    @Test(arguments: availableISAs)
    func derivativesAtNaN(isa: ck_isa) {
        let derivatives: [(String, Float)] = [
            ("identity", 1), ("relu", 1), ("leaky relu", 0.25), ("prelu per channel", 0.125), ("elu", 1),
            ("swish", .nan),
        ]
        for (name, expected) in derivatives {
            let activation = ActivationCase.all.first { $0.name == name }!.activation
            var shape = ck_activation_shape(batch: 1, positions: 1, channels: 3, activation: activation)
            let z = Buffer([.nan, .nan, .nan]), slopes = Buffer([0.125, 0.125, 0.125]), dout = Buffer([2, 2, 2])
            let dz = Buffer(3)
            with(isa: isa) {
                ck_activation_backward(
                    &shape, z.pointer, slopes.pointer, dout.pointer, dz.pointer, false, nil, nil)
            }
            let wanted = Array(repeating: 2 * Double(expected), count: 3)
            #expect(firstError(dz, wanted, bound: { _ in 0 }, name) == nil)
        }
    }

    @Test func refusesWhatItCannotTake() {
        func isValid(_ change: (inout ck_activation) -> Void) -> Bool {
            var activation = ActivationCase.all[2].activation
            change(&activation)
            return ck_activation_check(&activation)
        }
        #expect(isValid { _ in })
        #expect(!isValid { $0.member_count = 0 })
        #expect(!isValid { $0.member_count = 9 })
        #expect(!isValid { $0.member_count = -1 })
        #expect(!isValid { $0.slope_sharing = ck_slope_sharing(rawValue: 2) })
        #expect(!isValid { $0.members.1.function = ck_function(rawValue: 1000) })
        #expect(!isValid { $0.members.1.input_scale = .infinity })
        #expect(!isValid { $0.members.1.output_scale = .nan })
        #expect(!isValid { $0.members.1.parameter = .nan })
        #expect(isValid { $0.members.2.parameter = .nan })
        // Only a single ReLU is idempotent.
        #expect(!isValid { $0.applied = true })
        var relu = ActivationCase.relu.activation
        relu.applied = true
        #expect(ck_activation_check(&relu))
        relu.members.0.output_scale = 2
        #expect(!ck_activation_check(&relu))
    }
}
