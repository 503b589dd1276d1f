import LinkedNet

/// How long an image takes in training and in a test, for expectations.
///
/// Rounded from `reproduce all --limit 256` on two cores of an x86-64 server with AVX-512, images of 32×32×3.
enum StepRates {
    /// Microseconds an image in training.
    private static func trainingMicroseconds(_ training: Training) -> Double {
        // Members beyond two add work in the same proportion.
        let members = training.activation == .fourLinked ? 1.7 : training.activation == .threeLinked ? 1.3 : 1
        let (plain, widened, linked): (Double, Double, Double) =
            switch training.model {
            case .depth: training.batchNorm ? (570, 570, 570) : (180, 270, 320)
            case .width(let units): (3.75 * Double(units) + 50, 5.5 * Double(units) + 50, 5.5 * Double(units) + 80)
            case .extended: (700, 1000, 1000)
            case .allCNN: (4000, 7000, 7000)
            case .resNet50: (2300, 3500, 2600)
            }
        return (training.activation.isLinked ? linked : training.widened ? widened : plain) * members
    }

    /// A forward pass is about a third of a training step.
    private static let testShare = 0.35

    /// The expected time of a run.
    static func seconds(_ training: Training, _ budget: Budget, _ data: ReproductionData) -> Double {
        let size = Double(data.imageShape.elementCount) / (32 * 32 * 3)
        let images = Double(budget.images ?? data.imageCount) + testShare * Double(budget.testImages ?? data.testImageCount)
        return Double(budget.epochs) * images * trainingMicroseconds(training) * size * 1e-6
    }
}
