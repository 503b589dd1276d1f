import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Each option, with another value than its default, has its effect.
@Suite struct OptionTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Every setting of a run.
    private static let settings = [
        "--settings", "paper", "--model", "depth", "--activation", "selu", "--batch-norm", "--sqrt2", "--init",
        "he-normal", "--convolution", "direct", "--data", "data", "--limit", "150", "--limit-test", "20", "--augment",
        "--shuffle", "--epochs", "2", "--batch-size", "7", "--optimizer", "sgd", "--learning-rate", "0.002", "--decay",
        "0.001", "--momentum", "0.5", "--schedule", "warm-up:3+cosine:2", "--seed", "7",
    ]

    /// The options that are not settings. Other tests of this file try these options; tests in other files try the
    /// options of running.
    private static let others = [
        "--no-batch-norm", "--dropout", "--no-dropout", "--no-sqrt2", "--no-augment", "--no-shuffle", "--steps",
        "--threads", "--output", "--resume",
        "--save-every", "--no-lock", "--dry-run", "--plan", "--json", "--quiet", "--log-every", "--help",
    ]

    private func options(_ command: Command) throws -> Set<String> {
        let help = try command("--help", in: place).output
        let listed = help.components(separatedBy: "USAGE:").last ?? ""
        // An option begins its line of the list, or follows its opposite or a short form.
        let lines = listed.split(separator: "\n").filter { $0.hasPrefix("  -") }
        return Set(
            lines.flatMap { line in
                line.prefix { $0 != "<" }.split(whereSeparator: { " /,".contains($0) }).prefix { $0.hasPrefix("-") }
                    .filter { $0.hasPrefix("--") }.map(String.init)
            })
    }

    @Test func everyOptionOfTrainIsTried() throws {
        let tried = Set(Self.settings.filter { $0.hasPrefix("--") } + Self.others)
        #expect(try options(.train) == tried)
    }

    @Test func everyOptionOfTrainIsInTheReadme() throws {
        let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        let rows = try String(contentsOf: readme.standardized, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `--") }
        for option in try options(.train) where option != "--help" {
            let named = rows.contains { $0.contains("`\(option)`") || $0.contains("`\(option) ") }
            #expect(named, "\(option)")
        }
    }

    @Test func everyOptionOfEvaluateIsTried() throws {
        #expect(
            try options(.evaluate) == [
                "--data", "--limit-test", "--confusion", "--dead-neurons", "--digest", "--threads", "--json", "--quiet",
                "--help",
            ])
    }

    @Test func everySettingReachesTheRun() throws {
        let result = try Command.train.run(Self.settings + ["--steps", "1", "--output", "run"], in: place)
        try #require(result.status == 0, "\(result.errors)")
        let saved = try SavedPaperRun("\(place.path)/run").settings
        let directory = URL(fileURLWithPath: place.path).resolvingSymlinksInPath().path
        var options = RunOptions()
        (options.preset, options.model, options.activation) = (.paper, .depth, .selu)
        (options.batchNorm, options.widened, options.initializer) = (true, true, .heNormal)
        (options.convolution, options.data, options.limit) = (.direct, "\(directory)/data", 150)
        (options.testLimit, options.epochs, options.batchSize) = (20, 2, 7)
        (options.optimizer, options.learningRate, options.decay) = (.sgd, 0.002, 0.001)
        (options.momentum, options.schedule, options.seed) = (0.5, "warm-up:3+cosine:2", 7)
        (options.augments, options.shuffles) = (true, true)
        let expected = try options.settings()
        var own = saved
        own.data = own.data.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        #expect(own == expected)
        // No setting is equal to the run's default.
        let plain = try RunOptions().settings()
        var named = RunOptions()
        (named.preset, named.model) = (.paper, .depth)
        let others = try named.settings()
        // `--no-dropout` is for another model: theOppositesOfFlagsReachTheRun.
        for setting in Settings.stored where setting.name != "dropout" {
            let isNamed = ["settings", "model"].contains(setting.name)
            let other = isNamed ? plain : others
            #expect(try json(setting, of: saved) != json(setting, of: other), "\(setting.name)")
        }
        // The command that goes on needs none of the options again.
        let last = try #require(result.output.split(separator: "\n").last)
        let command = try #require(last.components(separatedBy: "continue with: ").last) + " --steps 1"
        let resumed = try Command(name: "/bin/bash")("-c", command, in: place)
        #expect(resumed.status == 0, "\(command): \(resumed.errors)")
        #expect(try SavedPaperRun("\(place.path)/run").settings == saved)
    }

    /// One setting in a run's saved form.
    private func json(_ setting: any StoredSetting, of settings: RunSettings) throws -> String {
        let all = try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings)) as? [String: Any]
        return "\(all?[setting.key] ?? "none")"
    }

    @Test func theOppositesOfFlagsReachTheRun() throws {
        func line(_ arguments: String...) throws -> String {
            let result = try Command.train.run(arguments + ["--data", "data", "--dry-run"], in: place)
            #expect(result.status == 0, "\(result.errors)")
            return try #require(result.output.split(separator: "\n").first { $0.contains(" settings: ") }).description
        }
        let paper = try line("--settings", "paper")
        #expect(paper.contains(", augmented") && paper.contains(", shuffled"))
        let others = try line("--settings", "paper", "--no-augment", "--no-shuffle")
        #expect(others.contains(", not augmented") && others.contains(", in file order"))
        #expect(try !paper.contains("no dropout") && line("--settings", "paper", "--no-dropout").contains("no dropout"))
        #expect(try line().contains("no dropout") && !line("--dropout").contains("no dropout"))
        #expect(try line("--model", "resnet50").contains("BatchNorm"))
        #expect(try !line("--model", "resnet50", "--no-batch-norm").contains("BatchNorm"))
    }

    // MARK: Effects of options

    private func train(_ arguments: [String], output: String) throws -> Command.Result {
        let result = try Command.train.run(arguments + ["--output", output], in: place)
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    /// The digest of the weights after a few steps with these options.
    private func digest(_ arguments: [String]) throws -> String {
        let output = "run-\(UUID().uuidString)"
        _ = try train(
            ["--settings", "paper", "--model", "width:6", "--data", "data", "--epochs", "3", "--steps", "12"]
                + arguments,
            output: output)
        return try Command.evaluate(output, "--digest", in: place).output
    }

    @Test(arguments: [
        ["--settings", "recipe"], ["--model", "width:7"], ["--activation", "lk-elu"], ["--batch-norm"], ["--sqrt2"],
        ["--init", "lecun-normal"], ["--limit", "100"], ["--augment"], ["--shuffle"], ["--batch-size", "31"],
        ["--optimizer", "rmsprop"], ["--learning-rate", "0.011"], ["--decay", "0.1"], ["--momentum", "0.9"],
        ["--schedule", "cosine"], ["--seed", "101"], ["--data", "others"],
    ])
    func whatChangesTheWeights(option: [String]) throws {
        try place.writeImages("others", side: 9)
        let plain = try digest([])
        #expect(plain.count == 65)
        #expect(try digest(option) != plain)
    }

    @Test func testImagesAreLimited() throws {
        let result = try train(
            ["--model", "width:6", "--data", "data", "--epochs", "1", "--limit-test", "1", "--json"], output: "run")
        let accuracy = try #require(result.events().last?["test_accuracy"] as? Double)
        #expect(accuracy == 0 || accuracy == 1)
        #expect(result.errors.contains("tested on the first 1"))
        // `evaluate` takes all images by default.
        #expect(try Command.evaluate("run", in: place).output.contains("(30 images)"))
        #expect(try Command.evaluate("run", "--limit-test", "7", in: place).output.contains("(7 images)"))
    }

    @Test func savesComeAsOftenAsAsked() throws {
        let arguments = ["--model", "width:6", "--data", "data", "--batch-size", "2", "--steps", "90"]
        func saves(_ more: [String], _ output: String) throws -> Int {
            _ = try train(arguments + more, output: output)
            let name = try String(contentsOfFile: "\(place.path)/\(output)/latest", encoding: .utf8)
            return try #require(Int(name.filter(\.isNumber)))
        }
        // The run saves before the first step and at the end.
        #expect(try saves([], "seldom") == 2)
        #expect(try saves(["--save-every", "100"], "no-more") == 2)
        #expect(try saves(["--save-every", "10steps"], "often") > 2)
        #expect(try saves(["--save-every", "0.00001min"], "by-time") > 2)
    }

    @Test func epochsAndStepsEndTraining() throws {
        let small = ["--model", "width:6", "--data", "data", "--batch-size", "100", "--json", "--log-every", "1"]
        func events(_ more: String...) throws -> [String?] {
            try train(small + more, output: UUID().uuidString).events().map { $0["event"] as? String }
        }
        #expect(try events("--epochs", "2") == ["step", "step", "epoch", "step", "step", "epoch"])
        #expect(try events("--epochs", "2", "--steps", "1") == ["step"])
        #expect(try events("--epochs", "2", "--steps", "1", "--log-every", "2") == [])
    }

    @Test func quietShowsNoProgress() throws {
        let small = ["--model", "width:6", "--data", "data", "--epochs", "1"]
        let (loud, quiet) = try (train(small, output: "loud"), train(small + ["--quiet"], output: "quiet"))
        #expect(loud.output.contains("\ntraining: epoch 1/1, step 0 of 7, 7 steps in an epoch\n"))
        #expect(!quiet.output.contains("training:"))
        #expect(quiet.output.contains("\nepoch 1/1: loss "))
    }

    #if os(Linux)
    /// The largest number of threads that a command has at once.
    private func mostThreads(_ command: Command, _ arguments: [String]) throws -> Int {
        var most = 0
        let result = try command.run(arguments, in: place) { process in
            let tasks = "/proc/\(process.processIdentifier)/task"
            while process.isRunning {
                most = max(most, (try? FileManager.default.contentsOfDirectory(atPath: tasks).count) ?? 0)
                usleep(500)
            }
        }
        #expect(result.status == 0, "\(result.errors)")
        return most
    }

    @Test func threadsAreAsManyAsAsked() throws {
        try place.writeImages("large", side: 48)
        let small = ["--model", "allcnn", "--data", "large", "--limit", "64", "--limit-test", "30"]
        let one = try mostThreads(.train, small + ["--steps", "2", "--threads", "1", "--output", "run"])
        let many = try mostThreads(.train, small + ["--steps", "2", "--threads", "8", "--output", "other"])
        #expect(many >= 8 && one < 8)
        let (few, more) = try (
            mostThreads(.evaluate, ["run", "--threads", "1"]), mostThreads(.evaluate, ["run", "--threads", "8"])
        )
        #expect(more >= 8 && few < 8)
    }
    #endif

    // MARK: evaluate

    /// All test images are of class 3, and the network predicts several classes: row 3 counts all images.
    @Test func aRowOfTheConfusionIsATrueClass() throws {
        try place.write("data/t10k-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 30] + Array(repeating: 3, count: 30))
        _ = try train(["--model", "width:6", "--data", "data", "--steps", "1"], output: "run")
        let result = try Command.evaluate("run", "--confusion", "--json", in: place)
        let object = try #require(try result.events().first)
        let rows = try #require(object["confusion"] as? [[Int]])
        #expect(rows.map { $0.reduce(0, +) } == (0..<10).map { $0 == 3 ? 30 : 0 })
        // Otherwise the transposed table would look the same.
        try #require(rows[3][3] < 30)
        let text = try Command.evaluate("run", "--confusion", in: place).output
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("3 ") })
        #expect(line.split(separator: " ").dropFirst().compactMap { Int($0) } == rows[3])
    }

    @Test func evaluatingOnOtherImages() throws {
        try place.writeImages("others", side: 8)
        try place.write("others/t10k-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 30] + Array(repeating: 3, count: 30))
        _ = try train(["--model", "width:6", "--data", "data", "--steps", "1"], output: "run")
        let (own, other) = try (
            Command.evaluate("run", "--json", in: place),
            Command.evaluate("run", "--data", "others", "--json", in: place)
        )
        #expect(own.status == 0 && other.status == 0)
        #expect(own.output != other.output)
        #expect(try own.output == Command.evaluate("run", "--json", "--quiet", in: place).output)
    }

    @Test(arguments: [
        ["--digest", "--confusion"], ["--digest", "--data", "data"], ["--digest", "--limit-test", "3"],
        ["--digest", "--dead-neurons"], ["--dead-neurons", "--confusion"], ["--dead-neurons", "--limit-test", "3"],
    ])
    func optionsThatDontGoTogether(arguments: [String]) throws {
        let result = try Command.evaluate.run(["run"] + arguments, in: place)
        #expect(result.status == 64)
        #expect(result.errors.hasPrefix("evaluate: \(arguments[0]): expected no \(arguments[1]) beside it"))
    }
}
