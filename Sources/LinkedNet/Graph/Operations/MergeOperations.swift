/// The sum of two inputs of the same shape.
struct AddOperation: NodeOperation {
    let elementCount: Int

    var label: String { "Add" }
    var isSamplewise: Bool { true }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let a = step.readInput(0), b = step.readInput(1), sum = step.writeOutput()
            return { [elementCount] call in
                Elementwise.add(count: call.batch * elementCount, call[a], call[b], out: call[sum])
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        for index in 0..<2 {
            steps.add { step in
                guard let gradient = step.writeInputGradient(index) else { return nil }
                let sumGradient = step.readOutputGradient()
                return { [elementCount] call in
                    Elementwise.copy(
                        count: call.batch * elementCount, call[sumGradient], out: call[gradient],
                        accumulate: gradient.accumulates)
                }
            }
        }
    }
}

/// Inputs side by side as channels.
struct ConcatOperation: NodeOperation {
    let positions: Int
    let channels: [Int]
    private let totalChannels: Int

    init(positions: Int, channels: [Int]) {
        self.positions = positions
        self.channels = channels
        totalChannels = channels.reduce(0, +)
    }

    var label: String { "Concat" }
    var isSamplewise: Bool { true }

    func addForward(to steps: inout NodeSteps) {
        for index in channels.indices {
            steps.add { step in
                let narrow = step.readInput(index), wide = step.writeOutput()
                let (positions, own, total) = (positions, channels[index], totalChannels)
                let offset = offset(of: index)
                return { call in
                    Elementwise.concatenate(
                        rows: call.batch * positions, channels: own, narrow: call[narrow], wideChannels: total,
                        offset: offset, wide: call[wide])
                }
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        for index in channels.indices {
            steps.add { step in
                guard let gradient = step.writeInputGradient(index) else { return nil }
                let wide = step.readOutputGradient()
                let (positions, own, total) = (positions, channels[index], totalChannels)
                let offset = offset(of: index)
                return { call in
                    Elementwise.split(
                        rows: call.batch * positions, channels: own, wide: call[wide], wideChannels: total,
                        offset: offset, narrow: call[gradient], accumulate: gradient.accumulates)
                }
            }
        }
    }

    /// The first of an input's channels in the output.
    private func offset(of index: Int) -> Int { channels[..<index].reduce(0, +) }
}
