import CKernels
import Testing

/// A max-pooling of an activation's members, in double.
private struct PooledReference {
    let pooling: ck_pooling
    let members: [ck_member]
    let z: Buffer

    private var channels: Int { Int(pooling.channels) }

    /// The index in y of member `member` of output `output`, counted without members.
    func place(_ output: Int, _ member: Int) -> Int {
        (output / channels * members.count + member) * channels + output % channels
    }

    func value(_ member: Int, _ input: Int) -> Double {
        ReferenceMember.value(members[member], Double(z.pointer[input]), slope: 0)
    }

    /// Calls `body` for each place in y with the member and the window's positions.
    func forEachWindow(_ body: (_ place: Int, _ member: Int, _ window: [(index: Int, input: Int)]) -> Void) {
        pooling.forEachWindow { output, window in
            for member in members.indices { body(place(output, member), member, window) }
        }
    }

    /// The maxima.
    var output: [Double] {
        var result = [Double](repeating: 0, count: pooling.outputCount * members.count)
        forEachWindow { place, member, window in
            let values = window.map { value(member, $0.input) }
            result[place] = values.first(where: \.isNaN) ?? values.reduce(-.infinity, max)
        }
        return result
    }

    /// The gradient of z, given the positions of the maxima. Where z is NaN, members whose derivative is NaN make NaN
    /// of a gradient of 0, too.
    func gradient(argmax: [UInt8], dy: Buffer) -> [Double] {
        var result = (0..<pooling.inputCount).map { input in
            members.reduce(0) { $0 + ReferenceMember.derivative($1, Double(z.pointer[input]), slope: 0) * 0 }
        }
        forEachWindow { place, member, window in
            guard let chosen = window.first(where: { $0.index == Int(argmax[place]) }) else { return }
            let slope = ReferenceMember.derivative(members[member], Double(z.pointer[chosen.input]), slope: 0)
            result[chosen.input] += slope * Double(dy.pointer[place])
        }
        return result
    }
}

@Suite struct PooledActivationTests {
    private static let activations = ActivationCase.all.filter { $0.slopeCount(positions: 1, channels: 1) == 0 }

    /// The results match the reference, and have the bits of an activation that is stored and then pooled.
    @Test(arguments: activations, [1, 3, 8, 16, 17, 32, 50])
    func maximaOfMembers(activation: ActivationCase, channels: Int) {
        for variant in 0..<4 {
            var generator = Generator(seed: UInt64(channels * 100 + variant))
            var pooling = randomPooling(&generator, channels: channels)
            if variant == 0 {
                // The usual windows. No window reaches the last row and column.
                pooling = ck_pooling(
                    batch: 2, height: 7, width: 5, channels: Int64(channels), out_height: 3, out_width: 2, window_h: 2,
                    window_w: 2, stride_h: 2, stride_w: 2, pad_top: 0, pad_left: 0)
            }
            let integers = activation.isExact && variant != 1
            let z =
                integers
                ? Buffer(integers: pooling.inputCount, &generator) : Buffer(uniform: pooling.inputCount, &generator)
            if variant == 3 { for _ in 0..<3 { z.pointer[generator.integer(0...(z.count - 1))] = .nan } }
            let outputs = pooling.outputCount * activation.members.count
            let dy = integers ? Buffer(integers: outputs, &generator) : Buffer(uniform: outputs, &generator)
            let before = integers ? Buffer(integers: z.count, &generator) : Buffer(uniform: z.count, &generator)
            for isa in availableISAs {
                for threads in isa == availableISAs.last ? threadCounts : [2] {
                    with(isa: isa, threads: threads) {
                        check(
                            pooling, activation, z: z, dy: dy, before: before, isExact: integers,
                            "\(isa) \(threads) \(activation) \(pooling)")
                    }
                }
            }
        }
    }

    /// Several blocks of rows, in the output and in the input.
    @Test func severalBlocks() {
        let pooling = PoolingTests.large, activation = ActivationCase.all.first { $0.name == "mirrored relu" }!
        var generator = Generator(seed: 79)
        let z = Buffer(integers: pooling.inputCount, &generator)
        let dy = Buffer(integers: 2 * pooling.outputCount, &generator)
        let before = Buffer(integers: z.count, &generator)
        for isa in availableISAs {
            with(isa: isa) { check(pooling, activation, z: z, dy: dy, before: before, isExact: true, "\(isa)") }
        }
    }

    private func check(
        _ pooling: ck_pooling, _ activation: ActivationCase, z: Buffer, dy: Buffer, before: Buffer, isExact: Bool,
        _ name: String
    ) {
        var pooling = pooling
        var members = activation.activation
        let y = Buffer(dy.count), unindexed = Buffer(dy.count), argmax = Bytes(dy.count)
        let dz = Buffer(z.count), added = before.copy()
        ck_max_pool_forward(&pooling, &members, z.pointer, y.pointer, argmax.pointer)
        ck_max_pool_forward(&pooling, &members, z.pointer, unindexed.pointer, nil)
        ck_max_pool_backward(&pooling, &members, argmax.pointer, z.pointer, dy.pointer, dz.pointer, false)
        ck_max_pool_backward(&pooling, &members, argmax.pointer, z.pointer, dy.pointer, added.pointer, true)
        #expect(firstDifference(y, unindexed, name) == nil)
        #expect(
            y.guardsIntact && unindexed.guardsIntact && dz.guardsIntact && added.guardsIntact && argmax.guardIntact,
            "\(name)")

        // Members and their derivatives are below 3 in absolute value. At most 25 windows add a gradient to one
        // element.
        let reference = PooledReference(pooling: pooling, members: activation.members, z: z)
        let bound = isExact ? 0 : 32 * 3 * Double(Float.ulpOfOne / 2),
            gradientBound = bound * 25 * Double(activation.members.count)
        #expect(firstError(y, reference.output, bound: { _ in bound }, name) == nil)
        let gradient = reference.gradient(argmax: argmax.values, dy: dy)
        #expect(firstError(dz, gradient, bound: { _ in gradientBound }, name) == nil)
        let sum = zip(gradient, before.values).map { $0 + Double($1) }
        #expect(firstError(added, sum, bound: { _ in gradientBound }, name) == nil)

        // The expected result: the activation is stored first.
        var shape = ck_activation_shape(
            batch: pooling.batch, positions: pooling.height * pooling.width, channels: pooling.channels,
            activation: members)
        var stored = pooling
        stored.channels *= Int64(activation.members.count)
        let out = Buffer(z.count * activation.members.count), dout = Buffer(out.count)
        let storedY = Buffer(y.count), storedArgmax = Bytes(y.count), storedGradient = Buffer(z.count),
            storedSum = before.copy()
        ck_activation_forward(&shape, z.pointer, nil, out.pointer)
        ck_max_pool_forward(&stored, nil, out.pointer, storedY.pointer, storedArgmax.pointer)
        ck_max_pool_backward(&stored, nil, storedArgmax.pointer, nil, dy.pointer, dout.pointer, false)
        let scratch = Buffer(scratchBytes: ck_activation_backward_scratch(&shape))
        for (target, accumulate) in [(storedGradient, false), (storedSum, true)] {
            ck_activation_backward(
                &shape, z.pointer, nil, dout.pointer, target.pointer, accumulate, nil, scratch.pointer)
        }
        #expect(firstDifference(y, storedY, name) == nil)
        #expect(argmax.values == storedArgmax.values, "\(name)")
        #expect(firstDifference(dz, storedGradient, name) == nil)
        #expect(firstDifference(added, storedSum, name) == nil)
    }

    @Test func checkRefusesWhatIsNotPooled() {
        var pooling = ck_pooling(
            batch: 1, height: 8, width: 8, channels: 4, out_height: 4, out_width: 4, window_h: 2, window_w: 2,
            stride_h: 2,
            stride_w: 2, pad_top: 0, pad_left: 0)
        func reason(_ activation: ck_activation) -> String? {
            var activation = activation
            return ck_pooling_check(&pooling, &activation).map { String(cString: $0) }
        }
        for activation in ActivationCase.all {
            let isSloped = activation.slopeCount(positions: 1, channels: 1) > 0
            #expect(reason(activation.activation)?.contains("slopes") == (isSloped ? true : nil), "\(activation)")
        }
        #expect(reason(ck_activation())?.contains("not valid") == true)
        (pooling.out_height, pooling.out_width, pooling.window_h, pooling.window_w) = (8, 8, 1, 1)
        (pooling.stride_h, pooling.stride_w, pooling.channels) = (1, 1, 1 << 54)
        #expect(ck_pooling_check(&pooling, nil) == nil)
        #expect(reason(Self.activations.last!.activation)?.contains("too large") == true)
        pooling.channels = 0
        #expect(reason(ActivationCase.relu.activation)?.contains("channels") == true)
    }
}
