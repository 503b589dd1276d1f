import CKernels

/// Softmax cross-entropy of logits [batch][classes].
enum LossKernel {
    /// The summed loss and the number of rows whose largest logit is the label's; the gradient is scaled by
    /// `gradientScale`.
    static func softmaxCrossEntropy(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, gradientScale: Float,
        logitsGradient: UnsafeMutablePointer<Float>?
    ) -> (lossSum: Double, correctCount: Int) {
        let result = ck_softmax_cross_entropy(
            Int64(batch), Int64(classes), logits, labels, gradientScale, logitsGradient)
        return (result.loss_sum, Int(result.correct_count))
    }

    /// Probabilities [batch][classes].
    static func softmax(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, probabilities: UnsafeMutablePointer<Float>
    ) {
        ck_softmax(Int64(batch), Int64(classes), logits, probabilities)
    }
}
