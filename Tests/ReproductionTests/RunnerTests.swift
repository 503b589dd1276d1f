import Foundation
import LinkedNet
import PaperNetworks
import Reproduction
import Testing

@Suite struct RunnerTests {
    private let data: ReproductionData

    init() throws {
        data = try SmallData.make()
    }

    /// Runs some rows, and makes the pages.
    @discardableResult
    private func reproduce(
        _ pages: [Page], rows: String, in place: Place, seeds: Int = 2, diagnoses: Bool = false, resumes: Bool = true,
        observer: any TrainingObserver = Watch()
    ) throws -> Bool {
        let plan = try Plan(pages, rows: rows, scale: .smoke, seeds: seeds, limit: 64, data: data, output: place.output)
        try place.output.open(.init(scale: .smoke, limit: 64, data: data), resumes: resumes)
        let isComplete = try Runner(
            plan, data: data, output: place.output, diagnoses: diagnoses, observers: [observer]
        ).run()
        try Site(place.output, data: nil).write()
        return isComplete
    }

    @Test func aFinishedRunIsNeverRunAgain() throws {
        let place = Place()
        let watch = Watch()
        try reproduce([.table1], rows: "ReLU, 50 units", in: place, observer: watch)
        #expect(watch.begins == 2)
        try reproduce([.table1], rows: "ReLU, 50 units", in: place, observer: watch)
        #expect(watch.begins == 2)
        try reproduce([.table1], rows: "ReLU, 50 units", in: place, seeds: 3, observer: watch)
        #expect(watch.begins == 3)
    }

    @Test func aRecordSaysEverything() throws {
        let place = Place()
        try reproduce([.table2], rows: "LK-ReLU", in: place)
        let cell = try #require(Paper.cells([.table2]).first { $0.row == "LK-ReLU" })
        let record = try #require(try place.output.record(cell.trainings[0], seed: 101))
        #expect(record.settings.seed == 101)
        #expect(record.settings.model == .depth)
        #expect(record.settings.limit == 64)
        #expect(record.curve.map(\.epoch) == [1, 2])
        #expect(record.curve.allSatisfy { $0.testAccuracy != nil && $0.seconds > 0 })
        #expect(record.testImages == 40)
        #expect(record.deadNeurons?.count == 51)
        #expect(record.figure == record.curve.compactMap(\.testAccuracy).max())
        #expect(record.explosion == nil)
        #expect(record.dataFingerprint.count == 64)
    }

    @Test(arguments: [1, 2, 3])
    func anInterruptionChangesNothing(step: Int) throws {
        let (whole, parts) = (Place(), Place())
        #expect(try reproduce([.table1], rows: "LK-ReLU, 50 units", in: whole, diagnoses: true))
        #expect(
            try !reproduce(
                [.table1], rows: "LK-ReLU, 50 units", in: parts, diagnoses: true, observer: Watch(stopsAfter: step)))
        #expect(try reproduce([.table1], rows: "LK-ReLU, 50 units", in: parts, diagnoses: true))
        let pages = try parts.pages()
        #expect(pages.keys.contains("table1.md") && pages.keys.contains("index.html"))
        #expect(pages.keys.contains { $0.contains("diagnostics") })
        #expect(try pages == whole.pages())
    }

    @Test func aKilledRunIsTrainedFromItsCheckpoint() throws {
        let (whole, killed) = (Place(), Place())
        try reproduce([.table1], rows: "SELU, 50 units", in: whole)
        #expect(throws: Watch.Killed.self) {
            try reproduce([.table1], rows: "SELU, 50 units", in: killed, observer: Watch(throwsAfter: 3))
        }
        try reproduce([.table1], rows: "SELU, 50 units", in: killed)
        #expect(try killed.pages() == whole.pages())
    }

    @Test func anExplosionIsRecorded() throws {
        let place = Place()
        let observer = Watch(explodesAfter: 1)
        try reproduce([.table1], rows: "ReLU, 400 units", in: place, seeds: 1, observer: observer)
        let cell = try #require(Paper.cells([.table1]).first { $0.title == "ReLU, 400 units" })
        let record = try #require(try place.output.record(cell.trainings[0], seed: 100))
        let explosion = try #require(record.explosion)
        #expect(explosion.step == 2)
        #expect(record.figure == 0.1)
        #expect(try place.text("table1.md").contains("Explosions"))
        // The failure is a result, so the runner doesn't try again.
        let watch = Watch()
        try reproduce([.table1], rows: "ReLU, 400 units", in: place, seeds: 1, observer: watch)
        #expect(watch.begins == 0)
    }

    @Test func anotherReproductionIsNotMixedIn() throws {
        let place = Place()
        try place.output.open(.init(scale: .smoke, limit: 64, data: data), resumes: false)
        #expect(throws: SettingsError.self) {
            try place.output.open(.init(scale: .smoke, limit: 64, data: data), resumes: false)
        }
        #expect(throws: SettingsError.self) {
            try place.output.open(.init(scale: .short, limit: 64, data: data), resumes: true)
        }
        try place.output.open(.init(scale: .smoke, limit: 64, data: data), resumes: true)
    }

    // MARK: Pages

    @Test func pagesAreTheSameFromTheSameRecords() throws {
        let place = Place()
        try reproduce([.table1], rows: "*ReLU, 50 units", in: place)
        let first = try place.text("index.html")
        try reproduce([.table1], rows: "*ReLU, 50 units", in: place)
        #expect(try place.text("index.html") == first)
    }

    @Test func pagesSayWhatTheyShow() throws {
        let place = Place()
        try reproduce([.table1, .claims], rows: "*ReLU, 50 units|1: ReLU, d-way, width*", in: place, seeds: 1)
        let page = try place.text("table1.md")
        #expect(page.contains("Data: rows"))
        #expect(page.contains("not the images that the paper's figures are for"))
        #expect(page.contains("| LK-ReLU, 50 units | 0."))
        #expect(page.contains("| LK-SELU, 50 units | not run"))
        #expect(page.contains("0.5909"))
        #expect(page.contains("LK-ReLU − ReLU (50 units) | +0.0142"))
        #expect(
            page.contains(
                """
                swift run reproduce table1 --data data --scale smoke --limit 64 --rows 'ReLU, 50 \
                units|LK-ReLU, 50 units|PReLU, 50 units|LK-PReLU, 50 units' --output regenerated/smoke-64 --resume
                """
            ))
        for figure in ["figures/table1-1.svg", "figures/figure1a.svg"] {
            #expect(try place.text(figure).hasPrefix("<svg"))
        }
        let claims = try place.text("claims.md")
        #expect(claims.contains("(ours)"))
        #expect(claims.contains("figure1b.svg"))
        let index = try place.text("index.html")
        #expect(index.contains("prefers-color-scheme:dark"))
        #expect(index.contains("Table 1: width") && index.contains("<svg"))
        // The pages load nothing: the only address is SVG's name space.
        #expect(index.replacing("http://www.w3.org/2000/svg", with: "").firstRange(of: "http") == nil)
        #expect(!index.contains("src="))
    }
}

/// Counts trainings, and stops or breaks one.
private final class Watch: TrainingObserver {
    struct Killed: Error {}

    private(set) var begins = 0
    private var stopsAfter: Int?
    private var throwsAfter: Int?
    private let explodesAfter: Int?

    init(stopsAfter: Int? = nil, throwsAfter: Int? = nil, explodesAfter: Int? = nil) {
        self.stopsAfter = stopsAfter
        self.throwsAfter = throwsAfter
        self.explodesAfter = explodesAfter
    }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        begins += 1
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        if event.step == throwsAfter { throw Killed() }
        if event.step == explodesAfter { trainer.network.parameters[0] = .nan }
        return event.step == stopsAfter ? .stop : .proceed
    }
}
