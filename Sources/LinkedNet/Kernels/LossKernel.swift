import CKernels

/// Softmax cross-entropy of logits [batch][classes].
enum LossKernel {
    /// The summed loss and the number of correct rows. `gradientScale` scales the gradient; an empty gradient isn't
    /// computed.
    static func softmaxCrossEntropy(
        logits: Span<Float>, labels: Span<Int32>, classes: Int, gradientScale: Float,
        logitsGradient: inout MutableSpan<Float>
    ) -> (lossSum: Double, correctCount: Int) {
        let batch = labels.count, elements = batch * classes
        precondition(classes >= 1, "at least one class")
        precondition(logits.count >= elements, "too few logits")
        // A label outside the classes would be an access outside the logits.
        var row = 0
        while row < batch {
            precondition(labels[row] >= 0 && labels[row] < classes, "a label outside 0 ..< classes")
            row += 1
        }
        precondition(logitsGradient.isEmpty || logitsGradient.count >= elements, "too little room for the gradient")
        let result = logitsGradient.withUnsafeMutableBufferPointer { gradient in
            logits.withUnsafeBufferPointer { logits in
                labels.withUnsafeBufferPointer { labels in
                    ck_softmax_cross_entropy(
                        Int64(batch), Int64(classes), logits.baseAddress, labels.baseAddress, gradientScale,
                        gradient.isEmpty ? nil : gradient.baseAddress)
                }
            }
        }
        return (result.loss_sum, Int(result.correct_count))
    }

    /// Probabilities [batch][classes].
    static func softmax(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, probabilities: UnsafeMutablePointer<Float>
    ) {
        ck_softmax(Int64(batch), Int64(classes), logits, probabilities)
    }
}
