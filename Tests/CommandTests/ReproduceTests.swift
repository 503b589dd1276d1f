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
        for text in [
            "Table 1", "Table 6", "LK-SELU, no BN", "0.5909", "allcnn-lk-relu-fixed-0.01", "width50-lk3-relu-selu",
        ] {
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
        ("table7", "table6"), ("--seeds=0", "--seeds"), ("--limit=-1", "--limit"), ("--scale=long", "short"),
        ("--rows=tanh", "--rows"),
        ("--output=", "--output"),
    ])
    func wrongOptionsGiveOneLine(argument: String, named: String) throws {
        let result =
            argument.hasPrefix("--")
            ? try Command.reproduce("table1", "--data", "data", argument, in: place)
            : try Command.reproduce(argument, in: place)
        #expect(result.status == 64)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains(named))
        #expect(!place.exists("reproduction"))
    }

    @Test func aReproductionKilledAgainAndAgainMakesTheSamePages() throws {
        func reproduce(_ output: String, whileRunning: (Process) throws -> Void = { _ in }) throws -> Command.Result {
            try Command.reproduce(
                "table2", "--rows", "SELU", "--data", "data", "--seeds", "2", "--output", output, "--resume",
                "--diagnostics", in: place,
                whileRunning: whileRunning)
        }
        #expect(try reproduce("whole").status == 0)
        // The test kills the process as soon as the file `moment` is there, at some moment of the work on this file.
        let (first, second) = ("killed/runs/depth-selu/seed-100", "killed/runs/depth-selu/seed-101")
        let moments = [
            "killed/reproduction.json", first, "\(first)/diagnostics.jsonl", "\(first)/metrics.jsonl",
            "\(first)/record.json", second,
            "\(second)/metrics.jsonl", "\(second)/record.json", "killed/figures/table2.svg",
        ]
        for moment in moments {
            _ = try reproduce("killed") { process in
                while process.isRunning, !place.exists(moment) { usleep(500) }
                kill(process.processIdentifier, SIGKILL)
            }
        }
        #expect(try reproduce("killed").status == 0)
        let pages = try pages("whole")
        #expect(try self.pages("killed") == pages)
        #expect(pages["table2.md"]?.contains("| SELU | 0.") == true)
        for name in ["index.html", "README.md", "figures/depth-selu-diagnostics-1.svg"] {
            #expect(pages[name] != nil, "\(name)")
        }
        // The records alone give the pages.
        #expect(try Command.reproduce("pages", "--output", "whole", in: place).status == 0)
        #expect(try self.pages("whole") == pages)
    }

    @Test func thePrintedCommandRegeneratesItsFigure() throws {
        func figures(_ output: String) throws -> [String] {
            try String(contentsOfFile: "\(place.path)/\(output)/table1.md", encoding: .utf8).split(separator: "\n").map(
                String.init
            )
            .filter { $0.hasPrefix("| ReLU, 50 units |") || $0.hasPrefix("| SELU, 50 units |") }
            .map { $0.replacing(Self.time, with: "TIME") }
        }
        #expect(
            try Command.reproduce(
                "table1", "--rows", "ReLU, 50 units|SELU, 50 units", "--data", "data", "--limit", "100", "--seeds", "2",
                "--output", "out",
                in: place
            ).status == 0)
        let page = try String(contentsOfFile: "\(place.path)/out/table1.md", encoding: .utf8)
        let command = try #require(
            page.split(separator: "\n").first { $0.hasPrefix("swift run reproduce ") })
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            command.replacing("swift run reproduce", with: "'\(Command.reproduce.path)'") + " > /dev/null",
        ]
        shell.currentDirectoryURL = URL(fileURLWithPath: place.path)
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0, "\(command)")
        #expect(try figures("out").count == 2)
        #expect(try figures("regenerated/smoke-100") == figures("out"))
    }

    @Test func pagesNeedAReproduction() throws {
        let result = try Command.reproduce("pages", "--output", "nowhere", in: place)
        #expect(result.status == 64)
        #expect(result.errors.contains("nowhere"))
    }

    private static var time: Regex<Substring> { /\b\d+(?:\.\d)? (?:s|min|h|days)\b/ }

    /// Names and texts of pages and pictures, without times.
    private func pages(_ output: String) throws -> [String: String] {
        let directory = "\(place.path)/\(output)"
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory).filter { name in
            !name.hasPrefix("runs") && [".md", ".html", ".svg"].contains { name.hasSuffix($0) }
        }
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                (
                    $0,
                    try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8).replacing(Self.time, with: "TIME")
                )
            })
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
            try Command.train(
                "--model", "depth", "--activation", "relu", "--data", "data", "--steps", "2", "--output", "run",
                in: place
            )
            .status == 0)
        let result = try Command.evaluate("run", "--dead-neurons", in: place)
        #expect(result.status == 0)
        #expect(result.output.contains("of 204 neurons are dead"))
        #expect(try Command.evaluate("run", "--dead-neurons", "--json", in: place).output.contains("\"dead_places\""))
        #expect(try Command.evaluate("run", "--dead-neurons", "--confusion", in: place).status == 64)
    }
}
