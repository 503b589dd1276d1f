/// Inverted dropout. The mask is a function of the step and the operation, so it isn't stored.
struct DropoutOperation: Operation {
    let rate: Float
    let elementCount: Int

    var label: String { "Dropout \(rate)" }
    var backwardReadsInputs: Bool { false }

    func forward(_ context: OperationContext) {
        let count = context.batch * elementCount
        if context.isTraining {
            Elementwise.dropout(
                count: count, key: context.randomKey, rate: rate, context.input(), out: context.output,
                accumulate: false)
        } else {
            Elementwise.copy(count: count, context.input(), out: context.output, accumulate: false)
        }
    }

    func backward(_ context: OperationContext) {
        guard let gradient = context.inputGradient() else { return }
        Elementwise.dropout(
            count: context.batch * elementCount, key: context.randomKey, rate: rate, context.outputGradient,
            out: gradient, accumulate: context.accumulatesInputGradient())
    }
}
