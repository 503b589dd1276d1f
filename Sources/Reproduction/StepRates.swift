import LinkedNet
import PaperNetworks

/// The time of an image in training and in a test, for expected times.
///
/// The times are rounded from epochs of `reproduce` on two otherwise idle cores of an x86-64 server with AVX-512, with
/// images of 32×32×3.
enum StepRates {
    /// The time of an image in training, in microseconds.
    private static func trainingMicroseconds(_ training: Training) -> Double {
        // Members beyond two add work in the same proportion.
        let members = training.activation == .fourLinked ? 1.7 : training.activation == .threeLinked ? 1.3 : 1
        let (plain, widened, linked): (Double, Double, Double) =
            switch training.model {
            case .depth: training.batchNorm ? (370, 370, 370) : (100, 130, 190)
            case .width(let units): (2.7 * Double(units), 4.1 * Double(units), 4.1 * Double(units))
            case .extended: (420, 800, 950)
            case .allCNN: (3700, 6000, 6000)
            case .resNet50: training.batchNorm ? (2050, 2050, 2400) : (1350, 1350, 1560)
            }
        return (training.activation.isLinked ? linked : training.widened ? widened : plain) * members
    }

    /// A forward pass is about a third of a training step.
    private static let testShare = 0.32

    /// The expected time of a run.
    static func seconds(_ training: Training, _ budget: Budget, _ data: ReproductionData) -> Double {
        let size = Double(data.imageShape.elementCount) / (32 * 32 * 3)
        let images =
            Double(budget.images ?? data.imageCount) + testShare * Double(budget.testImages ?? data.testImageCount)
        return Double(budget.epochs) * images * trainingMicroseconds(training) * size * 1e-6
    }
}
