extension Trainer {
    /// Puts the gradients of the batch's mean loss into ``Network/parameterGradients``, in as many passes as the network needs. Parts of
    /// the batch are added in order, so the result is a function of the batch.
    func computeGradients(
        pixels: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws -> LossResult {
        let mode = Network.Mode.training(step: UInt64(position.step))
        let classes = network.outputShape.elementCount
        let sampleElements = network.inputShape.elementCount
        let gradients = network.parameterGradients.baseAddress.unsafelyUnwrapped
        var result = LossResult()
        var start = 0
        while start < count {
            let size = min(network.passSize, count - start)
            let input = pixels + start * sampleElements
            try network.forward(input: input, count: size, mode: mode)
            let passResult = loss.evaluate(
                output: network.output, labels: labels + start, count: size, classes: classes,
                gradient: network.outputGradient)
            guard passResult.lossSum.isFinite else {
                restoreStates()
                let origin = try firstNonFinite(pixels: input, count: size, mode: mode)
                restoreStates()
                throw nonFinite(origin)
            }
            if size < count {
                // From the mean of the pass to its share in the mean of the batch.
                Elementwise.scale(count: size * classes, by: Float(size) / Float(count), network.outputGradient)
            }
            try network.backward(count: size, step: UInt64(position.step))
            result += passResult
            if start + size < count {
                Elementwise.copy(
                    count: gradientSum.count, gradients, out: gradientSum.pointer, accumulate: start > 0)
            } else if start > 0 {
                Elementwise.copy(count: gradientSum.count, gradientSum.pointer, out: gradients, accumulate: true)
            }
            start += size
        }
        return result
    }
}
