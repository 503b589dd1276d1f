import Testing

@testable import Reproduction

/// Cells in which one of several trainings counts: Table 4's learning-rate policies.
@Suite struct AlternativeTests {
    private let place = Place()
    private let data: ReproductionData
    private let cell: Cell

    init() throws {
        data = try SmallData.make()
        cell = try #require(Paper.cells([.table4]).first { $0.row == "SELU" })
        try place.output.open(.init(scale: .short, limit: nil, data: data), resumes: false)
    }

    private func plan(_ scale: Scale = .short) throws -> Plan {
        try Plan([.table4], rows: "SELU", scale: scale, seeds: nil, limit: nil, data: data, output: place.output)
    }

    private func finish(_ training: Training, accuracy: Double, explodes: Bool = false) throws {
        let explosion = TrainingRecord.Explosion(step: 37, epoch: 1, layer: "conv2d_1", description: "NaN")
        try place.output.add(
            .madeUp(training, seed: 100, accuracy: accuracy, explosion: explodes ? explosion : nil), of: training)
    }

    @Test func theFirstIsEnoughIfItLearns() throws {
        #expect(try plan().items.map(\.training) == [cell.trainings[0]])
        try finish(cell.trainings[0], accuracy: 0.3)
        #expect(try plan().isFinished)
    }

    @Test func anExplosionAsksForTheLowestRate() throws {
        try finish(cell.trainings[0], accuracy: 0.1, explodes: true)
        #expect(try plan().items.map(\.training.id) == ["allcnn-selu", "allcnn-selu-steps-0.001"])
        #expect(try !plan().isFinished)
        try finish(cell.trainings[2], accuracy: 0.25)
        #expect(try plan().isFinished)
    }

    @Test func fullScaleTrainsAll() throws {
        #expect(try plan(.full).items.map(\.training) == cell.trainings)
    }

    @Test func thePageShowsTheBestAndTheExplosion() throws {
        try finish(cell.trainings[0], accuracy: 0.1, explodes: true)
        try finish(cell.trainings[2], accuracy: 0.25)
        try Site(place.output, data: nil).write()
        let page = try place.text("table4.md")
        #expect(page.contains("| SELU | 0.2500 | 0.9304 | −0.6804 | 1 | steps from 0.001 |"))
        #expect(page.contains("| SELU, steps from 0.01 | 100 | 37 | 1 | conv2d_1 |"))
    }
}
