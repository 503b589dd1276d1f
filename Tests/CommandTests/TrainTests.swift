import Foundation
import Testing

@Suite struct TrainTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    // MARK: Options

    @Test func helpListsEveryOption() throws {
        let result = try Command.train("--help", in: place)
        #expect(result.status == 0)
        for option in [
            "model", "activation", "data", "epochs", "batch-size", "optimizer", "learning-rate", "decay", "momentum",
            "schedule", "augment", "no-augment", "shuffle", "no-shuffle", "batch-norm", "no-batch-norm", "sqrt2",
            "dropout", "no-dropout",
            "init", "convolution", "seed", "threads",
            "limit", "steps", "output", "resume", "dry-run", "json", "log-every", "save-every",
        ] {
            #expect(result.output.contains("--\(option)"), "\(option)")
        }
        for value in ["width:N", "lk-leaky-relu", "lecun-normal", "rmsprop", "fashion-mnist", "warm-up"] {
            #expect(result.output.contains(value), "\(value)")
        }
    }

    @Test(arguments: [
        (["--no-such-option"], "--no-such-option"), (["--model", "vgg"], "resnet50"),
        (["--activation", "tanh"], "lk-swish"),
        (["--epochs", "many"], "--epochs"), (["--epochs", "0"], "--epochs"), (["--batch-size", "0"], "--batch-size"),
        (["--convolution", "fft"], "winograd"), (["--steps", "0"], "--steps"), (["--schedule", "steep"], "--schedule"),
        (["--learning-rate", "nan"], "--learning-rate"), (["--optimizer", "adam", "--momentum", "0.9"], "--momentum"),
        (["--augment", "--no-augment"], "--no-augment"), (["--resume", "a", "--output", "b"], "--output"),
        (["--data", "data", "--output", ""], "--output"), (["--resume", ""], "--resume"),
        (["--epochs", "9999999999"], "--epochs"),
        (["stray"], "stray"), (["--save-every", "0"], "--save-every"), (["--save-every", "10h"], "--save-every"),
    ])
    func wrongOptionsGiveOneLine(arguments: [String], named: String) throws {
        // A command that ignored the option would not train for long.
        let small = arguments.contains("--data") ? [] : ["--data", "data"]
        let result = try Command.train.run(arguments + small + ["--dry-run"], in: place)
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains(named))
        #expect(!place.exists("runs"))
    }

    @Test func aWarningNamesAnInstructionSetThatIsNotThere() throws {
        let result = try Command.train(
            "--model", "width:2", "--data", "data", "--dry-run", in: place, environment: ["CK_ISA": "mmx"])
        #expect(result.status == 0)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("CK_ISA=mmx"))
    }

    // MARK: Data and directories

    @Test func missingDataIsNoInput() throws {
        let result = try Command.train("--data", "nowhere", in: place)
        #expect(result.status == 66)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("nowhere"))
    }

    @Test func wrongDataIsDataError() throws {
        try place.write("data/train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 200])
        let result = try Command.train("--data", "data", in: place)
        #expect(result.status == 65)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("data/train-labels-idx1-ubyte"))
    }

    @Test func aMissingOrBrokenRunIsNamed() throws {
        #expect(try Command.train("--resume", "none", in: place).status == 66)
        try place.write("data/checkpoint.safetensors", Array("nonsense".utf8))
        let broken = try Command.train("--resume", "data", in: place)
        #expect(broken.status == 65)
        #expect(broken.errors.contains("data/checkpoint.safetensors"))
    }

    @Test func anOutputThatCannotBeMadeIsNamed() throws {
        try place.write("file", [])
        let result = try Command.train("--model", "width:2", "--data", "data", "--output", "file/run", in: place)
        #expect(result.status == 73)
        #expect(result.errorLines.count == 1)
    }

    // MARK: Training

    @Test func theAlgorithmCanBeForced() throws {
        let result = try Command.train(
            "--model", "allcnn", "--data", "data", "--dry-run", "--convolution", "direct", in: place)
        #expect(result.status == 0)
        #expect(result.output.contains(" direct ") && !result.output.contains(" winograd "))
    }

    @Test func aDryRunShowsThePlanAndLeavesNothing() throws {
        let result = try Command.train("--model", "allcnn", "--data", "data", "--dry-run", "--threads", "1", in: place)
        #expect(result.status == 0)
        #expect(result.output.contains("200 training and 30 test images"))
        #expect(result.output.contains("conv2d_8"))
        #expect(result.output.contains(" winograd "))
        #expect(result.output.contains("arena"))
        #expect(result.output.contains("1 thread"))
        #expect(!place.exists("runs"))
    }

    @Test func linesAreEvents() throws {
        let result = try Command.train(
            "--model", "width:2", "--data", "data", "--epochs", "2", "--batch-size", "64", "--limit", "150",
            "--log-every", "2",
            "--json", in: place)
        #expect(result.status == 0)
        let events = try result.events()
        #expect(events.map { $0["event"] as? String } == ["step", "epoch", "step", "step", "epoch"])
        #expect(events.map { $0["epoch"] as? Int } == [1, 1, 2, 2, 2])
        #expect(events.map { $0["step"] as? Int } == [2, 3, 4, 6, 6])
        for event in events {
            let names =
                event["event"] as? String == "step"
                ? ["loss"]
                : ["loss", "accuracy", "test_loss", "test_accuracy", "seconds", "images_per_s"]
            for name in names { #expect(event[name] is Double, "\(name)") }
        }
        #expect(result.errors.contains("150 training") == false)
        #expect(result.errors.contains("200 training and 30 test images"))
        #expect(result.errors.contains("epoch 2/2"))
        #expect(!result.errors.contains("\r"))
        #expect(result.errors.contains(" s test, "))
        let metrics = try String(contentsOfFile: "\(place.path)/runs/width2-lk-relu-1/metrics.jsonl", encoding: .utf8)
        #expect(
            metrics.split(separator: "\n") == result.output.split(separator: "\n").filter { $0.contains("\"epoch\",") })
    }

    @Test func stepsAreLimitedAndRunsNumbered() throws {
        for number in 1...2 {
            let result = try Command.train("--model", "width:2", "--data", "data", "--steps", "3", in: place)
            #expect(result.status == 0)
            #expect(result.output.contains("runs/width2-lk-relu-\(number)"))
        }
        let resumed = try Command.train("--resume", "runs/width2-lk-relu-1", "--steps", "1", in: place)
        #expect(resumed.status == 0)
        #expect(resumed.output.contains("after 3 steps"))
    }

    @Test func aLossThatIsNoNumberEndsTraining() throws {
        let result = try Command.train(
            "--model", "width:2", "--data", "data", "--learning-rate", "1e30", in: place)
        #expect(result.status == 1)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("training stopped at step"))
        #expect(result.errors.contains("layer "))
    }

    @Test func contradictionsWithTheRunAreNamed() throws {
        _ = try Command.train("--model", "width:2", "--data", "data", "--steps", "1", "--output", "run", in: place)
        let result = try Command.train(
            "--resume", "run", "--model", "depth", "--seed", "1", "--shuffle", in: place)
        #expect(result.status == 64)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("--model") && result.errors.contains("--seed"))
        #expect(!result.errors.contains("--shuffle"))
        #expect(try Command.train("--model", "width:2", "--data", "data", "--output", "run", in: place).status == 64)
    }

    @Test func aRunsDataIsItsOwn() throws {
        _ = try Command.train("--model", "width:2", "--data", "data", "--steps", "1", "--output", "run", in: place)
        let elsewhere = try Workplace()
        let run = "\(place.path)/run"
        #expect(try Command.evaluate(run, in: elsewhere).status == 0)
        #expect(try Command.train("--resume", run, "--steps", "1", in: elsewhere).status == 0)
        for arguments in [["--data", "shapes"], ["--dry-run", "--data=shapes"]] {
            let other = try Command.train("--resume", run, arguments[0], arguments[1], in: elsewhere)
            #expect(other.status == 65)
            #expect(other.errorLines.count == 1)
            for part in ["--data", "\(place.path)/data", "shapes"] { #expect(other.errors.contains(part)) }
        }
    }

    // MARK: Interruption

    @Test func aReaderThatGoesAwayDoesNotEndTraining() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "\"$0\" --model width:2 --data data --epochs 50 --json --output broken 2>errors | head -n 1 >first",
            Command.train.path,
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: place.path)
        try process.run()
        process.waitUntilExit()
        #expect(metricsLines("broken") == 50)
        #expect(try Command.train("--resume", "broken", in: place).output.contains("all 50 epochs are done"))
    }

    @Test func hangingUpSavesTheRun() throws {
        let result = try Command.train(
            "--model", "width:32", "--data", "data", "--batch-size", "2", "--epochs", "1000", "--output", "broken",
            in: place,
            whileRunning: { signal($0, SIGHUP) })
        #expect(result.status == 129)
        #expect(try Command.train("--resume", "broken", "--steps", "1", in: place).status == 0)
    }

    /// A run that was interrupted twice and resumed has the weights of an unbroken run.
    @Test func anInterruptedRunIsResumedExactly() throws {
        // The training is long enough for an interrupt in the middle, and short enough for a test.
        let unbroken = try Command.train(
            "--model", "width:32", "--data", "data", "--batch-size", "2", "--epochs", "100", "--shuffle", "--output",
            "unbroken",
            in: place)
        #expect(unbroken.status == 0)

        let interrupted = try Command.train(
            "--model", "width:32", "--data", "data", "--batch-size", "2", "--epochs", "100", "--shuffle", "--output",
            "broken",
            in: place, whileRunning: { signal($0, SIGINT) })
        #expect(interrupted.status == 130)
        #expect(interrupted.output.contains("--resume broken"))
        let again = try Command.train("--resume", "broken", in: place, whileRunning: { signal($0, SIGTERM) })
        #expect(again.status == 143)
        #expect(!again.output.contains("epoch 100/100"))
        #expect(try Command.train("--resume", "broken", in: place).status == 0)

        let digests = try ["unbroken", "broken"].map { try Command.evaluate($0, "--digest", in: place).output }
        #expect(digests[0].count == 65)
        #expect(digests[0] == digests[1])
        #expect(metricsLines("broken") == 100)
    }

    /// Service managers and closing terminals send several signals at once, which is no second interrupt of an
    /// impatient user.
    @Test func signalsThatComeTogetherSaveTheRun() throws {
        let result = try Command.train(
            "--model", "width:32", "--data", "data", "--batch-size", "2", "--epochs", "1000", "--output", "broken",
            in: place,
            whileRunning: { signal($0, SIGSTOP, SIGTERM, SIGHUP, SIGCONT) })
        #expect(result.status == 143 || result.status == 129)
        #expect(result.output.contains("--resume broken"))
        #expect(try Command.train("--resume", "broken", "--steps", "1", in: place).status == 0)
    }

    /// The step would take many more seconds. The last save before the step stays.
    @Test func aSecondInterruptLeavesAtOnce() throws {
        try place.writeImages("large", side: 64)
        let result = try Command.train(
            "--model", "allcnn", "--data", "large", "--batch-size", "200", "--threads", "1", "--output", "broken",
            in: place,
            whileRunning: { process in
                while process.isRunning, !place.exists("broken/latest") { usleep(1_000) }
                // A signal within a second of the first signal counts as the same signal.
                while process.isRunning {
                    kill(process.processIdentifier, SIGINT)
                    usleep(300_000)
                }
            })
        #expect(result.status == 130)
        #expect(!result.output.contains("--resume"))
        // The command answers the first signal at once, and names the saved step when it leaves.
        #expect(result.errorLines.first?.hasPrefix("stopping after this step") == true)
        #expect(result.errors.contains("left at once"))
        #expect(result.errorLines.last?.hasPrefix("saved in broken, as of step 0; continue with: ") == true)
        #expect(result.errorLines.last?.hasSuffix("--resume broken") == true)
        let resumed = try Command.train("--resume", "broken", "--dry-run", in: place)
        #expect(resumed.status == 0)
        #expect(place.exists("broken/checkpoint-000000001.safetensors"))
        #expect(!place.exists("broken/checkpoint-000000002.safetensors"))
    }

    /// The second process gets a message with the first process's number. The first process goes on.
    @Test func anotherProcessMayNotTrainTheRun() throws {
        var second: Command.Result?
        var owner: Int32 = 0
        let first = try Command.train(
            "--model", "width:32", "--data", "data", "--batch-size", "2", "--epochs", "1000", "--output", "broken",
            in: place,
            whileRunning: { process in
                signal(process)
                owner = process.processIdentifier
                second = try Command.train("--resume", "broken", in: place)
                signal(process, SIGTERM)
            })
        #expect(second?.status == 75)
        #expect(second?.errorLines.count == 1)
        #expect(second?.errors.hasSuffix("in use by process \(owner)\n") == true)
        #expect(first.status == 143)
        #expect(first.output.contains("--resume broken"))
    }

    /// Without a handler, the system would end the process.
    @Test func aFileThatMayNotGrowFailsTheSave() throws {
        let result = try Command(name: "/bin/sh")(
            "-c", "ulimit -f 8; \"$0\" --model width:200 --data data --steps 1 --output run", Command.train.path,
            in: place)
        #expect(result.status == 74)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("could not write: file too large"))
    }

    @Test func aRunThatCannotBeLockedIsNamed() throws {
        _ = try Command.train("--model", "width:2", "--data", "data", "--steps", "1", "--output", "run", in: place)
        try FileManager.default.removeItem(atPath: "\(place.path)/run/lock")
        try FileManager.default.createDirectory(atPath: "\(place.path)/run/lock", withIntermediateDirectories: false)
        let result = try Command.train("--resume", "run", "--steps", "1", in: place)
        #expect(result.status == 74)
        #expect(result.errors.contains("run/lock: could not lock"))
    }

    /// Sends signals after the end of an epoch.
    private func signal(_ process: Process, _ numbers: Int32...) {
        let before = metricsLines("broken")
        while process.isRunning, metricsLines("broken") == before { usleep(1_000) }
        for number in numbers { kill(process.processIdentifier, number) }
    }

    private func metricsLines(_ run: String) -> Int {
        let text = try? String(contentsOfFile: "\(place.path)/\(run)/metrics.jsonl", encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    @Test func threadsDoNotMatter() throws {
        for threads in ["1", "3"] {
            _ = try Command.train(
                "--model", "width:8", "--data", "data", "--steps", "5", "--threads", threads, "--output", threads,
                in: place)
        }
        let digests = try ["1", "3"].map { try Command.evaluate($0, "--digest", in: place).output }
        #expect(digests[0] == digests[1])
    }
}
