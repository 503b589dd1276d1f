import Foundation
import LinkedNet
import PaperNetworks

/// The work to do: every run of the chosen cells, once.
package struct Plan {
    /// A run: a training with its seed.
    package struct Item {
        package let training: Training
        package let budget: Budget
        package let seed: UInt64
        /// The expected time on two cores, in seconds.
        package let expectedSeconds: Double
        /// True if the run's record exists.
        package let isFinished: Bool
    }

    package let cells: [Cell]
    package let scale: Scale
    package let items: [Item]
    /// The largest number of images that a run is trained on; `nil` for the scale's own.
    package let limit: Int?
    /// The number of seeds; `nil` for the scale's own.
    package let seeds: Int?

    /// - Throws: ``SettingsError`` if no cell is left, ``CheckpointError`` if a record can't be read.
    package init(
        _ pages: [Page], rows: String?, scale: Scale, seeds: Int?, limit: Int?, data: ReproductionData,
        output: OutputDirectory
    ) throws {
        self.scale = scale
        self.limit = limit
        self.seeds = seeds
        cells = Paper.cells(pages).filter { cell in
            // Grey images have no channels to scale apart.
            (rows.map(cell.matches) ?? true)
                && (data.imageShape[2] > 1 || !cell.trainings.contains { $0.pixels == .scaled })
        }
        guard !cells.isEmpty else {
            throw SettingsError(
                setting: "rows", expected: "a pattern of rows such as \"LK-*\" (list shows them)",
                found: rows ?? "no row")
        }
        var known: Set<Training> = []
        var items: [Item] = []
        for training in try cells.flatMap({ try Self.trainings($0, scale, output) })
        where known.insert(training).inserted {
            let budget = Self.budget(training, scale: scale, seeds: seeds, limit: limit, data: data)
            for seed in Self.seeds(budget) {
                items.append(
                    Item(
                        training: training, budget: budget, seed: seed,
                        expectedSeconds: StepRates.seconds(training, budget, data),
                        isFinished: try output.record(training, seed: seed) != nil))
            }
        }
        self.items = items
    }

    /// The trainings of a cell at a scale: all trainings, or the first training alone. If the first training has
    /// exploded, the last training comes too, because the last training has the lowest learning rate.
    private static func trainings(_ cell: Cell, _ scale: Scale, _ output: OutputDirectory) throws -> [Training] {
        guard !scale.trainsAlternatives, let first = cell.trainings.first, let last = cell.trainings.last, last != first
        else {
            return cell.trainings
        }
        let hasExploded = try output.records(first).contains { $0.explosion != nil }
        return hasExploded ? [first, last] : [first]
    }

    /// False if a training is left to do.
    package var isFinished: Bool { items.allSatisfy(\.isFinished) }

    static func seeds(_ budget: Budget) -> [UInt64] { (0..<budget.seeds).map { Experiment.seed + UInt64($0) } }

    static func budget(_ training: Training, scale: Scale, seeds: Int?, limit: Int?, data: ReproductionData) -> Budget {
        var budget = scale.budget(training)
        if let seeds { budget.seeds = seeds }
        if let limit {
            budget.images = min(limit, budget.images ?? .max)
            budget.testImages = min(limit, budget.testImages ?? .max)
        }
        // A limit that limits nothing becomes `nil`.
        if let images = budget.images, images >= data.imageCount { budget.images = nil }
        if let images = budget.testImages, images >= data.testImageCount { budget.testImages = nil }
        return budget
    }

    /// The expected time of all runs that aren't finished, in seconds.
    package var expectedSeconds: Double { items.reduce(0) { $0 + ($1.isFinished ? 0 : $1.expectedSeconds) } }

    /// A line for each training, and the expected time of the whole plan.
    package var description: String {
        var table = TextTable([
            .init("training"), .init("epochs", alignment: .right), .init("images", alignment: .right),
            .init("seeds", alignment: .right), .init("finished", alignment: .right),
            .init("expected", alignment: .right),
        ])
        var index = 0
        while index < items.count {
            let item = items[index]
            let runs = items[index...].prefix { $0.training == item.training }
            let left = runs.reduce(0) { $0 + ($1.isFinished ? 0 : $1.expectedSeconds) }
            table.rows.append([
                item.training.id, "\(item.budget.epochs)", item.budget.images.map(String.init) ?? "all",
                "\(runs.count)",
                "\(runs.count { $0.isFinished })", left > 0 ? Duration.text(left) : "–",
            ])
            index = runs.endIndex
        }
        let left = items.count { !$0.isFinished }
        return """
            \(table)
            \(items.count) runs, \(left) to do: about \(Duration.text(expectedSeconds)) on two cores with AVX-512, by \
            step times measured there; \
            another machine takes another time, and the estimate is corrected as runs end.
            """
    }
}

/// Texts for lengths of time.
package enum Duration {
    /// `45 s`, `12 min`, `3.5 h`, `12 days`.
    package static func text(_ seconds: Double) -> String {
        switch seconds {
        case ..<99.5: "\(Int(seconds.rounded(.up))) s"
        case ..<5970: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: String(format: "%.1f h", seconds / 3600)
        default: "\(Int((seconds / 86400).rounded())) days"
        }
    }
}
