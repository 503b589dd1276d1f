import Foundation
import Testing

@testable import LinkedNet
@testable import Reproduction

/// The statements of Table 2's page about made-up runs.
@Suite struct PatternTests {
    /// A run of the depth network.
    struct Outcome: Sendable {
        var accuracy: Double
        var dead: Int?
        var explodes = false
    }

    /// The row of Table 2 after runs with these outcomes.
    private func row(_ name: String, _ outcomes: [Outcome]) throws -> DepthRow {
        let cell = try #require(Paper.cells([.table2]).first { $0.row == name })
        let place = Place()
        for (index, outcome) in outcomes.enumerated() {
            try place.output.add(
                .madeUp(
                    cell.trainings[0], seed: UInt64(100 + index), accuracy: outcome.accuracy,
                    explosion: outcome.explodes ? .init(step: 7, epoch: 1, layer: "dense", description: "NaN") : nil,
                    deadNeurons: outcome.dead.map {
                        [DeadNeurons(layer: "relu", units: 204, dead: $0, places: 204, deadPlaces: $0)]
                    }), of: cell.trainings[0])
        }
        return try withExtendedLifetime(place) { DepthRow(try CellResult(cell, output: place.output)) }
    }

    @Test(arguments: [
        ("ReLU", [Outcome(accuracy: 0.1, dead: 82)], "at chance, 82 of 204 dead"),
        ("LK-ReLU", [Outcome(accuracy: 0.48, dead: 0), Outcome(accuracy: 0.45, dead: 0)], "learns, none dead"),
        ("Swish", [Outcome(accuracy: 0.1, dead: nil, explodes: true)], "at chance, exploded at step 7"),
        ("BN", [Outcome(accuracy: 0.4, dead: 3)], "learns, 3 of 204 dead"),
    ])
    func asInThePaper(name: String, outcomes: [Outcome], text: String) throws {
        let row = try row(name, outcomes)
        #expect(row.departures.isEmpty)
        #expect(row.verdict == .agrees)
        #expect(row.text == text)
    }

    @Test(arguments: [
        (
            "ReLU", [Outcome(accuracy: 0.3, dead: 0)],
            [
                "1 of 1 runs learn (median 0.3000); in the paper it stays at 0.10.",
                "no neuron is dead after training; in the paper some are.",
            ]
        ),
        ("PReLU √2", [Outcome(accuracy: 0.1, dead: 0)], ["no neuron is dead after training; in the paper some are."]),
        (
            "LK-SELU", [Outcome(accuracy: 0.1, dead: 0)],
            ["stays at chance (median 0.1000) in 20 epochs; in the paper it learns in 200."]
        ),
        (
            "SELU", [Outcome(accuracy: 0.3, dead: 2), Outcome(accuracy: 0.4, dead: 0)],
            ["0 to 2 of 204 dead; in the paper none is."]
        ),
        (
            "LK-Swish", [Outcome(accuracy: 0.3, dead: 0)],
            ["the loss stays finite for all 20 epochs and the figure is 0.3000; in the paper it explodes (0.10)."]
        ),
        (
            "Swish √2", [Outcome(accuracy: 0.3), Outcome(accuracy: 0.1, explodes: true)],
            ["only 1 of 2 runs explode; in the paper it explodes."]
        ),
    ])
    func departuresAreSentences(name: String, outcomes: [Outcome], sentences: [String]) throws {
        let row = try row(name, outcomes)
        #expect(row.departures == sentences.map { "\(name): \($0)" })
        #expect(row.verdict == .differs)
    }

    @Test func aRowThatWasNotRunSaysNothing() throws {
        let row = try row("SELU", [])
        #expect(row.departures.isEmpty)
        #expect(row.verdict == .undecided)
        #expect(row.text == "not run")
    }

    private static let differences: [(paper: Double?, ours: Double?, spread: Double, verdict: Pattern.Verdict)] = [
        (0.02, 0.03, 0, .agrees), (0.02, -0.03, 0, .differs), (0.02, 0.03, 0.05, .undecided),
        (0.001, 0.001, 0, .agrees),
        (0.001, 0.03, 0, .undecided), (nil, 0.03, 0, .undecided), (0.02, nil, 0, .undecided),
    ]

    @Test(arguments: differences)
    func differencesHaveVerdicts(paper: Double?, ours: Double?, spread: Double, verdict: Pattern.Verdict) {
        #expect(Pattern.Difference(title: "a", paper: paper, ours: ours, spread: spread).verdict == verdict)
    }
}
