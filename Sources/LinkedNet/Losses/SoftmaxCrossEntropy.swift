/// −log softmax(output)[label]: the cross-entropy of the softmax of a network's outputs (logits).
public struct SoftmaxCrossEntropy: Loss {
    /// The loss; it has no settings.
    public init() {}

    public func evaluate(
        output: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        gradient: UnsafeMutablePointer<Float>?
    ) -> LossResult {
        let (lossSum, correctCount) = LossKernel.softmaxCrossEntropy(
            batch: count, classes: classes, logits: output, labels: labels, gradientScale: 1 / Float(count),
            logitsGradient: gradient)
        return LossResult(lossSum: lossSum, correctCount: correctCount, sampleCount: count)
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
