/// The sum of two inputs of the same shape.
struct AddOperation: Operation {
    let elementCount: Int

    var label: String { "Add" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

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
    private let totalChannels: Int

    init(positions: Int, channels: [Int]) {
        self.positions = positions
        self.channels = channels
        totalChannels = channels.reduce(0, +)
    }

    var label: String { "Concat" }
    var backwardReadsInputs: Bool { false }
    var treatsSamplesAlone: Bool { true }

    func forward(_ context: OperationContext) {
        var offset = 0
        for index in channels.indices {
            Elementwise.concatenate(
                rows: context.batch * positions, channels: channels[index], narrow: context.input(index),
                wideChannels: totalChannels, offset: offset, wide: context.output)
            offset += channels[index]
        }
    }

    func backward(_ context: OperationContext) {
        var offset = 0
        for index in channels.indices {
            if let gradient = context.inputGradient(index) {
                Elementwise.split(
                    rows: context.batch * positions, channels: channels[index], wide: context.outputGradient,
                    wideChannels: totalChannels, offset: offset, narrow: gradient,
                    accumulate: context.accumulatesInputGradient(index))
            }
            offset += channels[index]
        }
    }
}
