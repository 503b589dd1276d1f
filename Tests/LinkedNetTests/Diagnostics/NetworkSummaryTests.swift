import Testing

@testable import LinkedNet

@Suite struct NetworkSummaryTests {
    private func summary(batchSize: Int = 32) throws -> NetworkSummary {
        let model = Sequential {
            Conv2D(8, kernel: 3, padding: .same)
            BatchNorm()
            LinkedActivation(.mirrored(.relu))
            GlobalAveragePool2D()
            Dense(10)
        }
        return try Network(model, input: [12, 10, 3], batch: batchSize, seed: 1).summary
    }

    @Test func data() throws {
        let summary = try summary()
        #expect(summary.inputShape == [12, 10, 3])
        #expect(summary.outputShape == [10])
        #expect(summary.batchSize == 32)
        // Kernel and bias; scale and shift; kernel and bias for twice the channels.
        #expect(summary.parameterCount == (3 * 3 * 3 * 8 + 8) + (8 + 8) + (16 * 10 + 10))
        #expect(summary.operations.reduce(0) { $0 + $1.parameterCount } == summary.parameterCount)
        #expect(summary.stateCount == 8 + 8)
        #expect(summary.instructionSet == Runtime.instructionSet)
        #expect(summary.threadCount == Runtime.threadCount)
        #expect(summary.operations.first?.outputBytes == 32 * 12 * 10 * 8 * 4)
    }

    @Test func everyOperationHasALine() throws {
        let summary = try summary()
        let lines = summary.description.split(separator: "\n")
        for operation in summary.operations {
            #expect(
                lines.contains { $0.hasPrefix(operation.name + " ") && $0.contains(" \(operation.outputShape) ") },
                "\(operation.name)")
        }
    }

    @Test func text() {
        let summary = NetworkSummary(
            inputShape: [32, 32, 3], outputShape: [10], batchSize: 32, microBatchSize: 32,
            operations: [
                OperationInfo(
                    name: "conv2d", label: "Conv2D 3×3", algorithm: "direct", outputShape: [32, 32, 96],
                    activationMemberCount: nil, parameterCount: 2688, outputBytes: 12_582_912,
                    isNormalization: false),
                OperationInfo(
                    name: "global_average_pool2d", label: "GlobalAveragePool2D", algorithm: nil, outputShape: [96],
                    activationMemberCount: nil, parameterCount: 0, outputBytes: 12_288,
                    isNormalization: false),
            ],
            parameterCount: 1_369_738, stateCount: 192,
            memory: MemoryUse(
                parameterBytes: 5_478_952, stateBytes: 768, arenaBytes: 104_857_600, unsharedArenaBytes: 209_715_200,
                scratchBytes: 4096),
            instructionSet: "avx512", threadCount: 2)
        #expect(
            summary.description == """
                input 32×32×3, output 10, batch size 32
                layer                  operation            output    parameters  algorithm    memory
                ─────────────────────────────────────────────────────────────────────────────────────
                conv2d                 Conv2D 3×3           32×32×96       2,688  direct     12.0 MiB
                global_average_pool2d  GlobalAveragePool2D  96                 0             12.0 KiB
                parameters 1,369,738, states 192 (saved, not trained)
                memory     110.5 MiB: parameters 5.2 MiB, gradients 5.2 MiB, states 768 B, \
                arena 100.0 MiB (unshared 200.0 MiB), scratch 4.0 KiB; each optimizer slot 5.2 MiB more
                kernels    avx512, 2 threads
                """)
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1075, "1.0 KiB"), (1076, "1.1 KiB"), (1_048_575, "1.0 MiB"),
        (1_048_576, "1.0 MiB"), (5_368_709_120, "5.0 GiB"), (1 << 50, "1024.0 TiB"),
    ]) func sizes(bytes: Int, text: String) {
        #expect(NetworkSummary.size(bytes) == text)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")])
    func groups(number: Int, text: String) {
        #expect(NetworkSummary.grouped(number) == text)
    }
}
