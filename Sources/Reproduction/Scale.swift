import LinkedNet
import PaperNetworks

/// The share of the paper's training that is done.
package enum Scale: String, Sendable, Hashable, Codable, CaseIterable {
    /// Takes minutes. Every part runs, but the figures say nothing.
    case smoke
    /// The work that two cores do in some hours.
    case short
    /// The paper's own epochs, and all images.
    case full
}

/// The length of a training.
package struct Budget: Sendable, Hashable {
    /// Passes over the images.
    package var epochs: Int
    /// The number of images to train on, the first images; `nil` for all.
    package var images: Int?
    /// The number of images to test on, the first images; `nil` for all.
    package var testImages: Int?
    /// The number of runs. Each run has a seed of its own, from ``Experiment/seed`` on.
    package var seeds: Int
}

extension Scale {
    /// The length of a training at this scale.
    package func budget(_ training: Training) -> Budget {
        switch self {
        case .smoke: smoke(training)
        case .short: short(training)
        case .full:
            // The paper's Table 2 has medians over an unstated number of runs. The other tables have one run.
            Budget(
                epochs: training.model.experiment(linked: training.activation.isLinked).epochs, images: nil,
                testImages: nil,
                seeds: training.model == .depth ? 5 : 1)
        }
    }

    /// A training takes a few seconds on two cores.
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
            // The rows that learn in the paper have three seeds, because only these rows' figures can have a spread.
            budget.seeds = training.activation.isLinked || training.activation == .selu && !training.widened ? 3 : 1
        case .extended, .resNet50: break
        }
        return budget
    }

    /// True if all alternatives of a cell are trained. The alternatives differ only after 500 epochs, or take as long
    /// again. Otherwise one alternative is trained if the first training explodes.
    var trainsAlternatives: Bool { self == .full }
}
