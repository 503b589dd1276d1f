import LinkedNet

/// The results of the finished runs of a cell.
struct CellResult {
    let cell: Cell
    /// The training of the cell that counts: the one with the best median.
    let training: Training
    /// The training's finished runs, by seed; empty if no run is finished.
    let records: [TrainingRecord]
    /// The finished runs of all of the cell's trainings.
    let finished: [(training: Training, records: [TrainingRecord])]

    init(_ cell: Cell, output: OutputDirectory) throws {
        self.cell = cell
        finished = try cell.trainings.map { (training: $0, records: try output.records($0)) }.filter {
            !$0.records.isEmpty
        }
        var best: (training: Training, records: [TrainingRecord])?
        for (training, records) in finished {
            if let known = best, Self.figure(known.records) >= Self.figure(records) { continue }
            best = (training, records)
        }
        training = best?.training ?? cell.trainings[0]
        records = best?.records ?? []
    }

    /// The figure of a training: the median of the runs' figures; 0 without runs.
    private static func figure(_ records: [TrainingRecord]) -> Double { median(records.map(\.figure)) ?? 0 }

    /// The best test accuracy, median over seeds.
    var median: Double? { Self.median(records.map(\.figure)) }
    var maximum: Double? { records.map(\.figure).max() }
    var minimum: Double? { records.map(\.figure).min() }

    /// The median test accuracy after each epoch.
    var curve: [(x: Double, y: Double)] {
        let length = records.map(\.curve.count).max() ?? 0
        return (0..<length).compactMap { epoch in
            let figures = records.compactMap { $0.curve.count > epoch ? $0.curve[epoch].testAccuracy : nil }
            return Self.median(figures).map { (Double(epoch + 1), $0) }
        }
    }

    /// The largest accuracy of a network that has learned nothing: three deviations above chance.
    var chanceLimit: Double {
        guard let record = records.first else { return 0.1 }
        let chance = 1 / Double(record.classCount)
        return chance + 3 * (chance * (1 - chance) / Double(record.testImages)).squareRoot()
    }

    /// The runs of the counting training that exploded.
    var explosions: [(seed: UInt64, explosion: TrainingRecord.Explosion)] {
        records.compactMap { record in record.explosion.map { (record.settings.seed, $0) } }
    }

    /// The difference between the best run and the worst run.
    var spread: Double { (maximum ?? 0) - (minimum ?? 0) }

    /// `exploded at step 120`, with the steps of all runs that exploded; empty if no run exploded.
    var explosionText: String {
        explosions.isEmpty
            ? "" : "exploded at step " + explosions.map { "\($0.explosion.step)" }.joined(separator: ", ")
    }

    private static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
