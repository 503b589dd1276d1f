/// −log softmax(output)[label]: the cross-entropy of the softmax of a network's outputs (logits).
public struct SoftmaxCrossEntropy: Loss {
    /// The loss, which has no settings.
    public init() {}

    public func evaluate(
        output: Span<Float>, labels: Span<Int32>, classes: Int, gradient: inout MutableSpan<Float>
    ) -> LossResult {
        let (lossSum, correctCount) = LossKernel.softmaxCrossEntropy(
            logits: output, labels: labels, classes: classes, gradientScale: 1 / Float(labels.count),
            logitsGradient: &gradient)
        return LossResult(lossSum: lossSum, correctCount: correctCount, sampleCount: labels.count)
    }

    /// The probability of each class.
    ///
    /// - Parameter logits: [samples, classes].
    /// - Throws: ``ShapeError`` if the logits don't have two dimensions.
    public static func probabilities(_ logits: Tensor) throws(ShapeError) -> Tensor {
        guard logits.shape.rank == 2 else {
            throw ShapeError(subject: "softmax", expected: "logits of [samples, classes]", found: "\(logits.shape)")
        }
        var result = logits
        result.withUnsafeMutableElements { probabilities in
            logits.elements.withUnsafeBufferPointer { elements in
                guard let source = elements.baseAddress, let target = probabilities.baseAddress else { return }
                LossKernel.softmax(
                    batch: logits.shape[0], classes: logits.shape[1], logits: source, probabilities: target)
            }
        }
        return result
    }
}
