import LinkedNet
import PaperNetworks
import Reproduction
import Testing

@Suite struct PlanTests {
    private func plan(
        _ pages: [Page] = Page.allCases, rows: String? = nil, scale: Scale = .short, seeds: Int? = nil,
        limit: Int? = nil,
        channels: Int = 3
    ) throws -> Plan {
        try Plan(
            pages, rows: rows, scale: scale, seeds: seeds, limit: limit, data: SmallData.make(channels: channels),
            output: OutputDirectory("there-is-none"))
    }

    @Test(arguments: [
        (Page.table1, 16), (.table2, 13), (.table3, 12), (.table4, 8), (.table5, 8), (.table6, 6), (.claims, 40),
    ])
    func everyCellOfThePaper(page: Page, count: Int) {
        let cells = Paper.cells([page])
        #expect(cells.count == count)
        #expect(Set(cells.map(\.title)).count == count)
        #expect(cells.allSatisfy { ($0.paper != nil) == (page != .claims) })
    }

    @Test func directoriesAreOfOneTrainingEach() {
        let trainings = Set(Paper.cells().flatMap(\.trainings))
        #expect(Set(trainings.map(\.id)).count == trainings.count)
        #expect(trainings.map(\.id).allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || "-.".contains($0) } })
    }

    @Test func sharedCellsRunOnce() throws {
        let own = try plan([.table5]).items.count + plan([.table6]).items.count
        // Table 6 has three of Table 5's networks.
        #expect(try plan([.table5, .table6]).items.count == own - 3)
    }

    @Test func shortIsWhatWasPromised() throws {
        func budgets(_ page: Page, _ isIncluded: (Cell) -> Bool = { _ in true }) -> [Budget] {
            Paper.cells([page]).filter(isIncluded).map { Scale.short.budget($0.trainings[0]) }
        }
        #expect(budgets(.table1) { $0.column == "50 units" }.allSatisfy { $0.epochs == 50 && $0.images == nil })
        #expect(budgets(.table1) { $0.column == "400 units" }.allSatisfy { $0.epochs >= 5 })
        #expect(budgets(.table2).allSatisfy { $0.epochs >= 20 && $0.images == nil })
        #expect(budgets(.table2) { $0.row.hasPrefix("LK") || $0.row == "SELU" }.allSatisfy { $0.seeds == 3 })
        #expect(budgets(.table3).allSatisfy { $0.epochs >= 5 })
        #expect(budgets(.table4).allSatisfy { $0.epochs >= 2 && $0.images ?? .max >= 20_000 })
        #expect((budgets(.table5) + budgets(.table6)).allSatisfy { $0.epochs >= 5 })
    }

    @Test func fullIsThePapers() throws {
        let full = try plan(scale: .full)
        #expect(full.items.allSatisfy { $0.budget.images == nil && $0.budget.testImages == nil })
        #expect(full.items.filter { $0.training.model == .allCNN }.count == 24)
        #expect(Set(full.items.map(\.budget.epochs)) == [50, 200, 2000, 3000])
    }

    @Test(arguments: [
        ("LK-*", 8), ("lk-relu", 2), ("ReLU", 2), ("*, 50 units", 8), ("SELU|LK-SELU", 4), ("LK-ReLU, 400 units", 1),
    ])
    func rowsArePatterns(pattern: String, count: Int) throws {
        let cells = try plan([.table1], rows: pattern).cells
        #expect(cells.count == count)
    }

    @Test func noRowIsAnError() {
        #expect(throws: SettingsError.self) { try plan([.table1], rows: "tanh") }
    }

    @Test func greyImagesHaveNoChannelsToScale() throws {
        #expect(try plan([.claims], channels: 1).cells.count == Paper.cells([.claims]).count - 8)
    }

    @Test func limitAndSeedsAreTaken() throws {
        let items = try plan([.table2], rows: "SELU", seeds: 4, limit: 20).items
        #expect(items.map(\.seed) == [100, 101, 102, 103])
        #expect(items.allSatisfy { $0.budget.images == 20 && $0.budget.testImages == 20 })
    }

    @Test func thePlanSaysHowLongItTakes() throws {
        let plan = try plan([.table2])
        #expect(plan.expectedSeconds > 0)
        #expect(plan.description.contains("depth-lk-relu"))
        #expect(plan.description.contains("\(plan.items.count) runs"))
    }

    @Test func onlyTheOriginalIsCalledCIFAR10() throws {
        let images = try SmallData.images(40, channels: 3, name: "CIFAR-10 train")
        #expect(ReproductionData(DataSource(train: images, test: images)).name == "CIFAR-10 (not the original images)")
    }
}
