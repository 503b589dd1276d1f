/// The sum of two inputs of the same shape.
struct AddOperation: Operation {
    let elementCount: Int

    var label: String { "Add" }
    var backwardReadsInputs: Bool { false }

    func forward(_ context: OperationContext) {
        Elementwise.add(
            count: context.batch * elementCount, context.input(0), context.input(1), out: context.output)
    }

    func backward(_ context: OperationContext) {
        for index in 0..<2 {
            guard let gradient = context.inputGradient(index) else { continue }
            Elementwise.copy(
                count: context.batch * elementCount, context.outputGradient, out: gradient,
                accumulate: context.accumulatesInputGradient(index))
        }
    }
}

/// Inputs side by side as channels.
struct ConcatOperation: Operation {
    let positions: Int
    let channels: [Int]

    private var totalChannels: Int { channels.reduce(0, +) }

    var label: String { "Concat" }
    var backwardReadsInputs: Bool { false }

    func forward(_ context: OperationContext) {
        var offset = 0
        let total = totalChannels
        for (index, width) in channels.enumerated() {
            Elementwise.concatenate(
                rows: context.batch * positions, channels: width, narrow: context.input(index), wideChannels: total,
                offset: offset, wide: context.output)
            offset += width
        }
    }

    func backward(_ context: OperationContext) {
        var offset = 0
        let total = totalChannels
        for (index, width) in channels.enumerated() {
            if let gradient = context.inputGradient(index) {
                Elementwise.split(
                    rows: context.batch * positions, channels: width, wide: context.outputGradient,
                    wideChannels: total, offset: offset, narrow: gradient,
                    accumulate: context.accumulatesInputGradient(index))
            }
            offset += width
        }
    }
}
