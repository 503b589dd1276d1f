/// Inverted dropout. The mask is a function of the step and the operation, so the operation doesn't store the mask.
struct DropoutOperation: NodeOperation {
    let rate: Float
    let elementCount: Int

    var label: String { "Dropout \(rate)" }

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let x = step.readInput(), out = step.writeOutput()
            return { [rate, elementCount] call in
                let count = call.batch * elementCount
                if call.isTraining {
                    Elementwise.dropout(
                        count: count, key: call.randomKey, rate: rate, call[x], out: call[out], accumulate: false)
                } else {
                    Elementwise.copy(count: count, call[x], out: call[out], accumulate: false)
                }
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            guard let gradient = step.writeInputGradient() else { return nil }
            let outGradient = step.readOutputGradient()
            return { [rate, elementCount] call in
                Elementwise.dropout(
                    count: call.batch * elementCount, key: call.randomKey, rate: rate, call[outGradient],
                    out: call[gradient], accumulate: gradient.accumulates)
            }
        }
    }
}
