import Foundation
import Testing

@Suite struct ReproduceTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    @Test func listShowsEveryCell() throws {
        let result = try Command.reproduce("list", in: place)
        #expect(result.status == 0)
        for text in ["Table 1", "Table 6", "LK-SELU, no BN", "0.5909", "allcnn-lk-relu-fixed-0.01", "width50-lk3-relu-selu"] {
            #expect(result.output.contains(text), "\(text)")
        }
    }

    @Test func aDryRunDoesNothing() throws {
        let result = try Command.reproduce("table2", "--scale", "short", "--data", "data", "--dry-run", in: place)
        #expect(result.status == 0)
        #expect(result.output.contains("23 runs, 23 to do"))
        #expect(!place.exists("reproduction"))
    }

    @Test(arguments: [
        ("table7", "table6"), ("--seeds=0", "--seeds"), ("--limit=-1", "--limit"), ("--scale=long", "short"), ("--rows=tanh", "--rows"),
        ("--output=", "--output"),
    ])
    func wrongOptionsGiveOneLine(argument: String, named: String) throws {
        let result = argument.hasPrefix("--")
            ? try Command.reproduce("table1", "--data", "data", argument, in: place) : try Command.reproduce(argument, in: place)
        #expect(result.status == 64)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains(named))
        #expect(!place.exists("reproduction"))
    }

    @Test func aKilledReproductionGoesOn() throws {
        func reproduce(_ output: String, _ more: String..., whileRunning: (Process) throws -> Void = { _ in }) throws -> Command.Result {
            try Command.reproduce(
                "table2", "--rows", more.first ?? "SELU", "--data", "data", "--seeds", "2", "--output", output, "--resume", in: place,
                whileRunning: whileRunning)
        }
        #expect(try reproduce("whole").status == 0)
        // Killed as soon as there is a checkpoint, which may be at any moment of its training.
        _ = try reproduce("killed") { process in
            while process.isRunning, !place.exists("killed/runs/depth-selu/seed-100/latest") { usleep(1000) }
            kill(process.processIdentifier, SIGKILL)
        }
        #expect(try reproduce("killed").status == 0)
        func page(_ output: String) throws -> String {
            try String(contentsOfFile: "\(place.path)/\(output)/table2.md", encoding: .utf8).replacing(/\b\d+ s\b/, with: "TIME")
        }
        #expect(try page("killed") == page("whole"))
        #expect(try page("whole").contains("| SELU | 0."))
        #expect(place.exists("whole/index.html"))
    }

    @Test func anInterruptionSaysHowToGoOn() throws {
        let result = try Command.reproduce(
            "table2", "--rows", "LK-*", "--scale", "full", "--data", "data", "--output", "out", in: place
        ) { process in
            while process.isRunning, !place.exists("out/runs/depth-lk-relu/seed-100/latest") { usleep(1000) }
            kill(process.processIdentifier, SIGINT)
        }
        #expect(result.status == 130)
        #expect(result.output.contains("--resume"))
        let again = try Command.reproduce("table2", "--scale", "full", "--data", "data", "--output", "out", in: place)
        #expect(again.status == 64)
        #expect(again.errors.contains("--output"))
    }

    @Test func deadNeuronsOfASavedRun() throws {
        #expect(
            try Command.train("--model", "depth", "--activation", "relu", "--data", "data", "--steps", "2", "--output", "run", in: place)
                .status == 0)
        let result = try Command.evaluate("run", "--dead-neurons", in: place)
        #expect(result.status == 0)
        #expect(result.output.contains("of 204 neurons are dead"))
        #expect(try Command.evaluate("run", "--dead-neurons", "--json", in: place).output.contains("\"dead_places\""))
        #expect(try Command.evaluate("run", "--dead-neurons", "--confusion", in: place).status == 64)
    }
}
