import CKernels
import Testing

@Suite struct DenseTests {
    static func verify(
        _ shape: ck_dense, _ activation: ActivationCase, seed: Int, threadCounts: [Int32] = threadCounts
    ) {
        withUnsafePointer(to: shape) { #expect(ck_dense_check($0) == nil) }
        LinearResults.verify(
            ReferenceConvolution(
                dense: shape, activation: activation, integers: activation.isExact && seed % 2 == 0,
                misaligned: seed % 5 == 0, seed: UInt64(seed) + 5000), threadCounts: threadCounts)
    }

    @Test(arguments: 0..<120)
    func generatedShapes(seed: Int) {
        let activation = ActivationCase.all[seed * 5 % ActivationCase.all.count]
        var generator = Generator(seed: UInt64(seed) + 77)
        while true {
            let batch = generator.integer(1...(seed % 4 == 0 ? 150 : 9))
            let positions = seed % 3 == 0 ? 1 : generator.integer(1...300)
            let channels = generator.integer(1...(seed % 3 == 0 ? 2000 : 200)), out = generator.integer(1...300)
            let products = batch * positions * channels * out * activation.members.count
            if products > 2_000_000 || products < 50_000 { continue }
            let shape = ck_dense(
                batch: Int64(batch), positions: Int64(positions), channels: Int64(channels), out_features: Int64(out),
                activation: activation.activation)
            Self.verify(shape, activation, seed: seed)
            return
        }
    }

    /// (batch, positions, channels, out): each dimension alone at 1, many columns, long inputs, more outputs than rows
    /// of the batch.
    @Test(arguments: [
        (1, 1, 1, 1), (1, 1, 700, 1), (70, 1, 3, 5), (2, 1, 9, 1200), (3, 900, 80, 2), (65, 36, 16, 12),
        (16, 1, 50, 17),
        (19, 5, 70, 300), (20, 1, 1500, 60), (100, 1, 150, 120),
    ])
    func chosenShapes(_ s: (Int64, Int64, Int64, Int64)) {
        for (index, name) in ["identity", "mirrored relu", "prelu, leaky relu, prelu"].enumerated() {
            let activation = ActivationCase.all.first { $0.name == name }!
            let shape = ck_dense(
                batch: s.0, positions: s.1, channels: s.2, out_features: s.3, activation: activation.activation)
            Self.verify(shape, activation, seed: index)
        }
    }

    @Test func refusesWhatItCannotTake() {
        let good = ck_dense(
            batch: 2, positions: 3, channels: 4, out_features: 5, activation: ActivationCase.all[0].activation)
        func reason(_ change: (inout ck_dense) -> Void) -> String? {
            var shape = good
            change(&shape)
            return ck_dense_check(&shape).map { String(cString: $0) }
        }
        #expect(reason { _ in } == nil)
        let sizes: [WritableKeyPath<ck_dense, Int64>] = [\.batch, \.positions, \.channels, \.out_features]
        for size in sizes {
            #expect(reason { $0[keyPath: size] = 0 } != nil)
            #expect(reason { $0[keyPath: size] = -3 } != nil)
            #expect(reason { $0[keyPath: size] = .max } != nil)
        }
        #expect(reason { $0.activation.member_count = 0 } != nil)
        #expect(
            reason {
                $0.channels = 1 << 31
                $0.out_features = 1 << 31
            } != nil)
    }

    @Test func scratchNeverShrinksWithTheBatch() {
        for activation in ActivationCase.all {
            for (positions, channels, out) in [(1, 900, 10), (900, 8, 10), (36, 128, 512), (1, 3, 5000)] {
                for pass in [CK_FORWARD, CK_BACKWARD] {
                    var before = 0
                    for batch in 1...100 {
                        var shape = ck_dense(
                            batch: Int64(batch), positions: Int64(positions), channels: Int64(channels),
                            out_features: Int64(out), activation: activation.activation)
                        let size = ck_dense_scratch(&shape, pass)
                        #expect(size >= before)
                        before = size
                    }
                }
            }
        }
    }
}
