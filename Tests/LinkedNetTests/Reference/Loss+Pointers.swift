import LinkedNet

extension Loss {
    /// The loss of a network's output, in the network's own memory.
    func evaluate(
        output: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        gradient: UnsafeMutablePointer<Float>?
    ) -> LossResult {
        var gradient = UnsafeMutableBufferPointer(start: gradient, count: gradient == nil ? 0 : count * classes)
            .mutableSpan
        return evaluate(
            output: UnsafeBufferPointer(start: output, count: count * classes).span,
            labels: UnsafeBufferPointer(start: labels, count: count).span, classes: classes, gradient: &gradient)
    }
}
