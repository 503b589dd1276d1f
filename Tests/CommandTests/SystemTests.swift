import Foundation
import Testing

/// Commands under different conditions of the system: descriptors, readers, signals, processors.
@Suite struct SystemTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Runs a shell's command line. `$T`, `$E` and `$R` are the commands.
    private func shell(
        _ line: String, environment: [String: String] = [:], whileRunning: (Process) throws -> Void = { _ in }
    ) throws -> Command.Result {
        let commands = ["T": Command.train, "E": .evaluate, "R": .reproduce].mapValues(\.path)
        return try Command(name: "/bin/sh")(
            "-c", line, in: place, environment: environment.merging(commands) { $1 }, whileRunning: whileRunning)
    }

    private static let training = "--model width:8 --data data --batch-size 20 --epochs 3 --output"

    // MARK: Descriptors

    @Test func closedDescriptorsAreNoFiles() throws {
        #expect(try shell("$T \(Self.training) open").status == 0)
        let digest = try Command.evaluate("open", "--digest", in: place).output
        for (name, closing) in [("output", ">&-"), ("both", "<&- >&-"), ("all", "<&- >&- 2>&-"), ("errors", "2>&-")] {
            #expect(try shell("$T \(Self.training) \(name) --json \(closing)").status == 0, "\(closing)")
            for file in ["metrics.jsonl", "latest"] {
                let texts = try ["open", name].map {
                    try String(contentsOfFile: "\(place.path)/\($0)/\(file)", encoding: .utf8)
                }
                let lines = texts.map { $0.split(separator: "\n") }
                #expect(lines[0].count == lines[1].count, "\(closing) \(file)")
                #expect(lines[1].allSatisfy { $0.hasPrefix("{\"event\":\"epoch\"") || $0.hasPrefix("checkpoint-") })
            }
            #expect(try Command.evaluate(name, "--digest", in: place).output == digest, "\(closing)")
        }
        #expect(try shell("$E open --digest <&- 2>&-").output == digest)
        #expect(try shell("$R list <&- 2>&-").output.contains("table1"))
    }

    // MARK: Output

    @Test func outputThatCannotBeWrittenIsAnError() throws {
        #expect(try shell("$T \(Self.training) run").status == 0)
        let lines =
            ["$E run", "$E run --json", "$E run --digest", "$E run --confusion", "$E run --dead-neurons", "$R list"]
            + ["$T", "$E", "$R"].map { "\($0) --help" } + ["$T --model width:2 --data data --dry-run"]
        for line in lines {
            let result = try shell("\(line) > /dev/full")
            #expect(result.status == 74, "\(line)")
            #expect(result.errorLines.count == 1, "\(line)")
            #expect(result.errors.hasSuffix(": standard output: could not write: no space left on device\n"), "\(line)")
        }
        // The training itself is done and saved.
        let result = try shell("$T \(Self.training) full --json --log-every 1 > /dev/full")
        #expect(result.status == 74)
        #expect(result.errors.components(separatedBy: "could not write").count == 2)
        #expect(result.errors.contains("epoch 3/3"))
        #expect(try Command.train("--resume", "full", in: place).output.contains("all 3 epochs are done"))
        // A warning that can't be written is an error.
        #expect(try shell("CK_ISA=mmx $T --model width:2 --data data --dry-run 2> /dev/full").status == 74)
    }

    /// The reader is slow, and a write to the full pipe returns at once.
    @Test(arguments: [false, true])
    func aSlowReaderGetsEveryLine(ofErrors: Bool) throws {
        let pipe = Pipe()
        let writing = pipe.fileHandleForWriting.fileDescriptor
        #expect(fcntl(writing, F_SETFL, fcntl(writing, F_GETFL) | O_NONBLOCK) == 0)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.train.path)
        process.arguments =
            "--model width:2 --data data --batch-size 1 --epochs 6 --log-every 1 --output run --json".split(
                separator: " "
            )
            .map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: place.path)
        process.standardOutput = ofErrors ? FileHandle.nullDevice : pipe
        process.standardError = ofErrors ? pipe : FileHandle.nullDevice
        try process.run()
        try pipe.fileHandleForWriting.close()
        // The pipe is full long before this time is over.
        Thread.sleep(forTimeInterval: 2)
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let prefix = ofErrors ? "step " : "{\"event\":\"step\",\"step\":"
        let steps = text.split(separator: "\n").compactMap { line in
            line.hasPrefix(prefix) ? Int(line.dropFirst(prefix.count).prefix { $0.isNumber }) : nil
        }
        #expect(steps == Array(1...1200))
    }

    /// A reader that has stopped must not keep a command from saving after a signal to end.
    @Test func aReaderThatHasStoppedDoesNotPreventTheEnd() throws {
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.train.path)
        process.arguments =
            "--model width:2 --data data --batch-size 1 --epochs 1000 --log-every 1 --output run --json"
            .split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(fileURLWithPath: place.path)
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        while process.isRunning, !place.exists("run/latest") { usleep(10_000) }
        Thread.sleep(forTimeInterval: 3)
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 143)
        #expect(try Command.train("--resume", "run", "--dry-run", in: place).status == 0)
    }

    // MARK: Signals

    private func waitForSave(_ run: String, after name: String? = nil, _ process: Process) -> String? {
        while process.isRunning {
            let latest = try? String(contentsOfFile: "\(place.path)/\(run)/latest", encoding: .utf8)
            if let latest, latest != name { return latest }
            usleep(5_000)
        }
        return nil
    }

    @Test(arguments: [("INT", SIGINT), ("TERM", SIGTERM), ("HUP", SIGHUP), ("XCPU", SIGXCPU), ("USR1", SIGUSR1)])
    func ignoredSignalsStayIgnored(name: String, number: Int32) throws {
        let result = try shell(
            "trap '' \(name); exec $T --model width:8 --data data --batch-size 2 --epochs 20 --output run",
            whileRunning: { process in
                _ = waitForSave("run", process)
                kill(process.processIdentifier, number)
            })
        #expect(result.status == 0)
        #expect(result.output.contains("epoch 20/20"))
        #expect(result.output.contains("saved in run"))
    }

    /// The epoch takes minutes, so a save before its end is the signal's.
    @Test func aSignalSavesAndTrainingGoesOn() throws {
        var saves: [String?] = []
        let result = try Command.train(
            "--model", "allcnn", "--data", "shapes", "--batch-size", "4", "--epochs", "1", "--output", "run", in: place,
            whileRunning: { process in
                let first = waitForSave("run", process)
                kill(process.processIdentifier, SIGUSR1)
                saves = [first, waitForSave("run", after: first, process)]
                // The system repeats this signal after the limit of time.
                for _ in 0..<3 { kill(process.processIdentifier, SIGXCPU) }
            })
        #expect(saves.compactMap { $0 }.count == 2)
        #expect(result.status == 128 + SIGXCPU)
        #expect(result.output.contains("--resume run"))
        #expect(!place.exists("run/metrics.jsonl"))
        #expect(try Command.train("--resume", "run", "--steps", "1", in: place).status == 0)
    }

    // MARK: Threads

    @Test func theUsualVariableIsTheDefaultOfThreads() throws {
        func threads(_ variable: String, _ arguments: String = "") throws -> String {
            try shell(
                "$T --model width:2 --data data --dry-run \(arguments)", environment: ["OMP_NUM_THREADS": variable]
            )
            .output
        }
        #expect(try threads("1").contains(", 1 thread\n"))
        #expect(try threads("3").contains(", 3 threads\n"))
        #expect(try threads("2,4").contains(", 2 threads\n"))
        #expect(try threads("1", "--threads 2").contains(", 2 threads\n"))
        let usual = try shell("unset OMP_NUM_THREADS; $T --model width:2 --data data --dry-run").output
        for variable in ["0", "-1", "many", "3x", "99999999999"] {
            #expect(try threads(variable) == usual, "\(variable)")
        }
    }

    /// A thread that a bound thread starts would share the bound thread's processor.
    @Test(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1))
    func helpersAreNotBoundWithTheMainThread() throws {
        var masks: [String] = []
        _ = try Command.train(
            "--model", "allcnn", "--data", "data", "--batch-size", "100", "--epochs", "1000", "--threads", "2",
            "--output", "run", in: place, environment: ["OMP_PROC_BIND": "true"],
            whileRunning: { process in
                let tasks = "/proc/\(process.processIdentifier)/task"
                // The process has a main thread, a worker and a loader. The masks are complete when all three threads
                // exist.
                while process.isRunning, masks.count < 3 {
                    usleep(100_000)
                    guard waitForSave("run", process) != nil else { break }
                    masks = ((try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []).compactMap { task in
                        (try? String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8))?
                            .split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }.map(String.init)
                    }
                }
                kill(process.processIdentifier, SIGTERM)
            })
        #expect(masks.count >= 3)
        #expect(Set(masks).count > 1)
        #expect(masks.contains { $0.contains("-") || $0.contains(",") }, "\(masks)")
    }
}
