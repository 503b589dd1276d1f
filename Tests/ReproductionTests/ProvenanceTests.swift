import Testing

@testable import Reproduction

/// The pages' statements about the sources that trained their figures.
@Suite struct ProvenanceTests {
    private let place = Place()
    private let cells = Array(Paper.cells([.table2]).prefix(3))

    /// The text under runs of Table 2's first rows, with a list of commits for each row and a commit for each run.
    private func text(_ commits: [[String?]]) throws -> String {
        for (cell, commits) in zip(cells, commits) {
            for (index, commit) in commits.enumerated() {
                try place.output.add(
                    .madeUp(cell.trainings[0], seed: 100 + UInt64(index), accuracy: 0.1, commit: commit),
                    of: cell.trainings[0])
            }
        }
        return Provenance(try cells.map { try CellResult($0, output: place.output) }).blocks.map(\.markdown).joined(
            separator: "\n")
    }

    @Test func oneCommitStandsInOneSentence() throws {
        let commit = String(repeating: "0123456789", count: 4)
        #expect(try text([[commit], [commit, commit]]) == "Trained with the sources of commit 0123456789.")
    }

    @Test func eachRowIsNamedUnderItsCommits() throws {
        let (first, second) = (String(repeating: "a", count: 40), String(repeating: "b", count: 40) + "-dirty")
        #expect(
            try text([[first], [second, first], [second]]) == """
                Trained with the sources of these commits:
                - aaaaaaaaaa: \(cells[0].title); \(cells[1].title)
                - bbbbbbbbbb-dirty: \(cells[1].title); \(cells[2].title)
                """)
    }

    @Test func nothingIsSaidWithoutGit() throws {
        #expect(try text([[nil], [nil]]).isEmpty)
    }

    @Test func aTagIsShownAsItIs() throws {
        #expect(try text([["0.1.0"]]) == "Trained with the sources of commit 0.1.0.")
    }
}
