import LinkedNet

/// How long an image takes in training and in a test, for expectations.
///
/// Measured with `reproduce all --limit 256` on two cores of an x86-64 server with AVX-512, images of 32×32×3.
enum StepRates {
    /// Microseconds an image: (training, test), by what is trained.
    private static let measured: [String: (training: Double, test: Double)] = [:]

    /// The expected time of a run.
    static func seconds(_ training: Training, _ budget: Budget, _ data: ReproductionData) -> Double {
        var plain = training
        plain.policy = .experiments
        plain.pixels = .unit
        let rate = measured[plain.id] ?? (1000, 300)
        let size = Double(data.imageShape.elementCount) / (32 * 32 * 3)
        let images = Double(budget.images ?? data.imageCount)
        let testImages = Double(budget.testImages ?? data.testImageCount)
        return Double(budget.epochs) * (images * rate.training + testImages * rate.test) * size * 1e-6
    }
}
