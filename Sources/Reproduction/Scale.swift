import LinkedNet
import PaperNetworks

/// How much of the paper's training is done.
package enum Scale: String, Sendable, Hashable, Codable, CaseIterable {
    /// Minutes: everything is run, nothing is learned from it.
    case smoke
    /// As much as two cores do in some hours.
    case short
    /// The paper's own epochs, and all images.
    case full
}

/// How long something is trained.
package struct Budget: Sendable, Hashable {
    /// Passes over the images.
    package var epochs: Int
    /// How many images it is trained on, the first; `nil` for all.
    package var images: Int?
    /// How many images it is tested on, the first; `nil` for all.
    package var testImages: Int?
    /// How many runs there are, each with a seed of its own, from ``Experiment/seed`` on.
    package var seeds: Int
}

extension Scale {
    /// How long a cell's trainings take at this scale.
    package func budget(_ training: Training) -> Budget {
        switch self {
        case .smoke: smoke(training)
        case .short: short(training)
        case .full:
            // The paper's Table 2 has medians over an unstated number of runs, the other tables one.
            Budget(
                epochs: training.model.experiment(linked: training.activation.isLinked).epochs, images: nil,
                testImages: nil,
                seeds: training.model == .depth ? 5 : 1)
        }
    }

    /// A few seconds a training on two cores.
    private func smoke(_ training: Training) -> Budget {
        let images =
            switch training.model {
            case .allCNN: 640
            case .resNet50: 768
            case .width(let units): units > 50 ? 1024 : 4096
            case .extended: 1536
            case .depth: 8192
            }
        return Budget(epochs: 2, images: images, testImages: 500, seeds: 1)
    }

    private func short(_ training: Training) -> Budget {
        var budget = Budget(epochs: 5, images: nil, testImages: nil, seeds: 1)
        switch training.model {
        case .allCNN:
            budget.epochs = 2
            budget.images = 20_000
            budget.testImages = 5_000
        case .width(let units): budget.epochs = units > 50 ? 5 : 50
        case .depth:
            budget.epochs = 20
            // The rows that learn in the paper: only their figures can have a spread.
            budget.seeds = training.activation.isLinked || training.activation == .selu && !training.widened ? 3 : 1
        case .extended, .resNet50: break
        }
        return budget
    }

    /// True if a cell's alternatives are all trained. They differ after 500 epochs only, or take as long again;
    /// otherwise one is trained where the first explodes.
    var trainsAlternatives: Bool { self == .full }
}
