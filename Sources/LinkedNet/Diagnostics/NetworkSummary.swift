/// A network's operations and their memory; printing a summary gives a table.
public struct NetworkSummary: Sendable, CustomStringConvertible {
    /// The shape of one input sample.
    public let inputShape: Shape
    /// The shape of one output sample.
    public let outputShape: Shape
    /// The largest number of samples in a training step.
    public let batchSize: Int
    /// The largest number of samples in a micro-batch; a step may take several micro-batches.
    public let microBatchSize: Int
    /// The operations in the order in which they run: the table's rows.
    public let operations: [OperationInfo]
    /// The number of trained numbers. Parameters that operations share count once.
    public let parameterCount: Int
    /// The number of untrained numbers that are saved with the weights.
    public let stateCount: Int
    /// The memory that the network holds.
    public let memory: MemoryUse
    /// The instructions that the kernels use.
    public let instructionSet: String
    /// The number of threads that the kernels use.
    public let threadCount: Int

    public var description: String {
        var table = TextTable([
            .init("layer"), .init("operation"), .init("output"), .init("parameters", alignment: .right),
            .init("algorithm"), .init("memory", alignment: .right),
        ])
        for operation in operations {
            table.rows.append([
                operation.name, operation.label, operation.outputShape.description,
                Self.grouped(operation.parameterCount), operation.algorithm ?? "", Self.size(operation.outputBytes),
            ])
        }
        let passes = microBatchSize == batchSize ? "" : " in micro-batches of \(microBatchSize)"
        let states = stateCount == 0 ? "" : ", states \(Self.grouped(stateCount)) (saved, not trained)"
        return """
            input \(inputShape), output \(outputShape), batch size \(batchSize)\(passes)
            \(table)
            parameters \(Self.grouped(parameterCount))\(states)
            memory     \(Self.size(memory.totalBytes)): parameters \(Self.size(memory.parameterBytes)), \
            gradients \(Self.size(memory.parameterBytes)), states \(Self.size(memory.stateBytes)), \
            arena \(Self.size(memory.arenaBytes)) (unshared \(Self.size(memory.unsharedArenaBytes))), \
            scratch \(Self.size(memory.scratchBytes)); each optimizer slot \(Self.size(memory.parameterBytes)) more
            kernels    \(instructionSet), \(threadCount) \(threadCount == 1 ? "thread" : "threads")
            """
    }

    /// `1,369,738`.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: index) }
        return String(digits)
    }

    /// `96 B`, `1.5 KiB`, `10.4 MiB`: rounded to a tenth.
    static func size(_ bytes: Int) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB"]
        // The first unit in which the rounded number stays below 1024, so that no text is "1024.0 KiB".
        var tenths = (Double(bytes) / 1024 * 10).rounded()
        var unit = 0
        while tenths >= 10240, unit + 1 < units.count {
            unit += 1
            tenths = (Double(bytes) / Double(1 << (10 * (unit + 1))) * 10).rounded()
        }
        return "\(Int(tenths) / 10).\(Int(tenths) % 10) \(units[unit])"
    }
}

extension MemoryUse {
    /// The whole memory without the optimizer's slots.
    public var totalBytes: Int { 2 * parameterBytes + stateBytes + arenaBytes + scratchBytes }
}

extension Network {
    /// The network's operations and their memory.
    ///
    /// `print(network.summary)` shows for every operation the layer, the output's shape, the number of parameters, the
    /// algorithm and the size of the output for a whole micro-batch, followed by totals.
    public var summary: NetworkSummary {
        NetworkSummary(
            inputShape: inputShape, outputShape: outputShape, batchSize: batchSize, microBatchSize: microBatchSize,
            operations: operations,
            parameterCount: parameterLayout.elementCount, stateCount: stateLayout.elementCount, memory: memory,
            instructionSet: Runtime.instructionSet, threadCount: Runtime.threadCount)
    }
}
