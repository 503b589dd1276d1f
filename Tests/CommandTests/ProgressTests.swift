import Foundation
import Testing

@testable import CommandSupport
@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

/// The display while a command works.
@Suite struct ProgressTests {
    /// A display with a clock that the test moves.
    private final class Screen {
        private(set) var text = ""
        private var time = ContinuousClock.now
        private(set) lazy var display = ProgressDisplay(
            form, columns: { [unowned self] in columns }, now: { [unowned self] in time },
            write: { [unowned self] in text += $0 })
        private let form: ProgressDisplay.Form
        var columns = 200

        init(_ form: ProgressDisplay.Form) { self.form = form }

        /// The text that the display writes after so many seconds.
        func after(_ seconds: Double, _ show: (ProgressDisplay) -> Void) -> String {
            time = time.advanced(by: .seconds(seconds))
            text = ""
            show(display)
            return text
        }
    }

    private let begin = TrainingBegin(position: TrainingPosition(), epochs: 2, batchesPerEpoch: 100, lastStep: nil)

    /// The event after `batch` steps of a second each.
    private func step(_ batch: Int, epoch: Int = 0) -> StepEvent {
        let result = LossResult(lossSum: 20, correctCount: 5, sampleCount: 10 * batch)
        return StepEvent(
            epoch: epoch, batch: batch, batchesPerEpoch: 100, step: 100 * epoch + batch, result: result,
            epochResult: result, epochSeconds: Double(batch))
    }

    @Test func aLineComesEveryTenSeconds() {
        let screen = Screen(.lines)
        #expect(screen.after(0) { $0.show(begin) } == "training: epoch 1/2, step 0 of 200, 100 steps in an epoch\n")
        for second in 1...9 { #expect(screen.after(1) { $0.show(step(second)) } == "") }
        #expect(
            screen.after(1) { $0.show(step(10)) }
                == "epoch 1/2  step 10 of 200  loss 0.2000  accuracy 0.0500  10 images/s  3:10 left\n")
        // The display also updates before a step that would end too late, between slow steps, and during a test.
        #expect(screen.after(6) { $0.show(step(16)) } != "")
        #expect(screen.after(30) { $0.show(step(46)) } != "")
        #expect(screen.after(3) { $0.show(EvaluationEvent(batch: 1, batchCount: 9)) } == "")
        #expect(screen.after(3) { $0.show(EvaluationEvent(batch: 2, batchCount: 9)) } == "")
        #expect(screen.after(4) { $0.show(EvaluationEvent(batch: 3, batchCount: 9)) } == "testing: batch 3 of 9\n")
    }

    /// The time of later tests is known after the first test.
    @Test func theTimeLeftHasTestsInIt() {
        let screen = Screen(.lines)
        let epoch = EpochResult(
            epoch: 0, step: 100, training: LossResult(), test: nil, seconds: 100, testSeconds: 50)
        _ = screen.after(0) { $0.show(begin) }
        #expect(screen.after(0) { $0.show(epoch, "epoch") } == "epoch\n")
        #expect(screen.after(20) { $0.show(step(50, epoch: 1)) }.hasSuffix("1:40 left\n"))
    }

    @Test func aLimitOfStepsShortensTheTime() {
        let screen = Screen(.lines)
        let limited = TrainingBegin(position: TrainingPosition(), epochs: 2, batchesPerEpoch: 100, lastStep: 40)
        #expect(screen.after(0) { $0.show(limited) }.contains("step 0 of 40,"))
        #expect(screen.after(20) { $0.show(step(10)) }.hasSuffix("0:30 left\n"))
    }

    @Test func theBarStandsBeforeTheFirstStep() {
        let screen = Screen(.bar)
        let bar = "epoch 1/2 " + String(repeating: "░", count: 20) + " 0/100  "
        #expect(screen.after(0) { $0.show(begin) } == "\r\(bar)\u{1B}[K")
        // A line removes the bar only while the line is written.
        #expect(screen.after(0) { $0.line("text") } == "\r\u{1B}[Ktext\n\r\(bar)\u{1B}[K")
        #expect(screen.after(0.05) { $0.show(step(1)) } == "")
        #expect(screen.after(0.06) { $0.show(step(50)) }.contains("██████████░░░░░░░░░░ 50/100  step 50  loss "))
        screen.columns = 12
        #expect(screen.after(0.2) { $0.show(step(51)) } == "\repoch 1/2 █\u{1B}[K")
        #expect(screen.after(0) { $0.end() } == "\r\u{1B}[K")
        #expect(screen.after(0) { $0.line("text") } == "text\n")
    }

    @Test func quietIsQuiet() {
        let screen = Screen(.quiet)
        #expect(screen.after(0) { $0.show(begin) } == "")
        #expect(screen.after(100) { $0.show(step(1)) } == "")
        #expect(screen.after(100) { $0.show(EvaluationEvent(batch: 1, batchCount: 9)) } == "")
        #expect(screen.after(0) { $0.line("text") } == "text\n")
    }

    @Test func nothingToDoShowsNothing() {
        var position = TrainingPosition()
        position.epoch = 2
        for form in [ProgressDisplay.Form.bar, .lines] {
            let done = TrainingBegin(position: position, epochs: 2, batchesPerEpoch: 100, lastStep: nil)
            #expect(Screen(form).after(0) { $0.show(done) } == "")
        }
    }

    // MARK: Terminals

    @Test(
        arguments: [
            (["TERM": "xterm"], true), (["TERM": "dumb"], false), (["TERM": ""], false), ([:], false),
            (["TERM": "xterm", "NO_COLOR": "1"], false), (["TERM": "xterm", "NO_COLOR": ""], true),
            (["TERM": "xterm", "CI": "true"], false), (["TERM": "xterm", "CI": "1"], false),
            (["TERM": "xterm", "CI": "false"], true), (["TERM": "xterm", "CI": ""], true),
        ] as [([String: String], Bool)])
    func escapesAreForTerminalsThatKnowThem(environment: [String: String], accepts: Bool) {
        #expect(Output.acceptsEscapes(environment) == accepts)
    }

    @Test func aWidthThatIsNotReportedIsCOLUMNS() {
        #expect(Output.columns(reported: 100, ["COLUMNS": "40"]) == 100)
        #expect(Output.columns(reported: 0, ["COLUMNS": "40"]) == 40)
        for text in ["", "0", "-3", "wide"] { #expect(Output.columns(reported: 0, ["COLUMNS": text]) == 80) }
        #expect(Output.columns(reported: 0, [:]) == 80)
    }

    #if os(Linux)
    /// The text that a command writes on a terminal of its own.
    private func onTerminal(_ environment: [String: String], columns: UInt16 = 0) throws -> String {
        let place = try Workplace()
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(master >= 0)
        // The requests are TIOCSPTLCK and TIOCGPTN, which Swift doesn't import.
        var (locked, number) = (Int32(0), UInt32(0))
        try #require(ioctl(master, 0x4004_5431, &locked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        var size = winsize()
        size.ws_col = columns
        try #require(ioctl(slave, UInt(TIOCSWINSZ), &size) == 0)
        let terminal = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
        // The test reads after the command's end, because the command's text fits into the terminal's buffer.
        let result = try Command.train.run(
            ["--model", "width:2", "--data", "data", "--epochs", "10", "--steps", "2"], in: place,
            environment: ["CI": "", "NO_COLOR": "", "TERM": "xterm", "COLUMNS": ""].merging(environment) { $1 },
            terminal: terminal)
        #expect(result.status == 0, "\(result.errors)")
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = withExtendedLifetime(terminal) { read(master, &buffer, buffer.count) }
        close(master)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    @Test func aTerminalGetsABar() throws {
        let text = try onTerminal([:], columns: 40)
        #expect(text.contains("\repoch 1/10 ░░░░░░░░░░░░░░░░░░░░ 0/7 "))
        #expect(!text.contains("training:"))
    }

    @Test(arguments: [["TERM": "dumb"], ["TERM": ""], ["NO_COLOR": "1"], ["CI": "true"]])
    func aTerminalForPlainTextGetsLines(environment: [String: String]) throws {
        let text = try onTerminal(environment, columns: 100)
        #expect(!text.contains("\u{1B}"))
        #expect(text.contains("training: epoch 1/10, step 0 of 2, 7 steps in an epoch"))
    }

    @Test func aTerminalWithoutASizeHasCOLUMNS() throws {
        #expect(try onTerminal(["COLUMNS": "16"]).contains("\repoch 1/10 ░░░░\u{1B}[K"))
    }
    #endif

    // MARK: Commands to go on with

    @Test(
        arguments: [
            (".build/x86_64-unknown-linux-gnu/debug/train", "/usr/bin/swift", "swift run evaluate"),
            (".build/x86_64-unknown-linux-gnu/debug/train", nil, "swift run evaluate"),
            (".build/aarch64-unknown-linux-gnu/release/train", "/usr/bin/swift", "swift run -c release evaluate"),
            ("../a b/.build/x86_64-unknown-linux-gnu/debug/train", nil, "swift run --package-path '../a b' evaluate"),
            (".build/debug/train", nil, ".build/debug/evaluate"),
            (
                "/p/.build/x86_64-unknown-linux-gnu/debug/train", nil,
                "/p/.build/x86_64-unknown-linux-gnu/debug/evaluate"
            ),
            (
                ".build/x86_64-unknown-linux-gnu/debug/train", ".build/x86_64-unknown-linux-gnu/debug/train",
                ".build/x86_64-unknown-linux-gnu/debug/evaluate"
            ),
            ("/opt/linked net/train", nil, "'/opt/linked net/evaluate'"), ("train", nil, "evaluate"),
        ] as [(String, String?, String)])
    func commandsHaveTheFormOfTheCall(path: String, started: String?, command: String) {
        let environment = started.map { ["_": $0] } ?? [:]
        #expect(Invocation(path, environment: environment).command("evaluate") == command)
    }

    @Test(arguments: [
        ("runs/a-1", "runs/a-1"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("-x", "./-x"),
        ("$HOME", "'$HOME'"),
        ("a\nb\u{1B}'", "$'a\\012b\\033\\''"), ("größe", "'größe'"),
    ])
    func wordsForTheShell(word: String, quoted: String) throws {
        #expect(word.quotedForShell == quoted)
    }

    @Test func theLastLinesSayHowToGoOn() throws {
        let place = try Workplace()
        func lines(_ arguments: String...) throws -> [String] {
            let result = try Command.train.run(arguments, in: place)
            #expect(result.status == 0, "\(result.errors)")
            return result.output.split(separator: "\n").map(String.init)
        }
        let directory = "a \u{1B}'run"
        let train = Command.train.path, evaluate = Command.evaluate.path
        let stopped = try lines(
            "--model", "width:2", "--data", "data", "--epochs", "2", "--steps", "9", "--output", directory)
        #expect(stopped.suffix(3).first?.hasPrefix("best test accuracy ") == true)
        #expect(stopped.suffix(2) == ["saved in a \\u{1b}'run", "continue with: \(train) --resume $'a \\033\\'run'"])
        let finished = try lines("--resume", directory)
        #expect(
            finished.suffix(2) == [
                "evaluate with: \(evaluate) $'a \\033\\'run'",
                "train further with: \(train) --resume $'a \\033\\'run' --epochs 4 --schedule cosine",
            ])
        // The last two lines are commands.
        for line in finished.suffix(2) {
            let command = try #require(line.components(separatedBy: " with: ").last)
            #expect(try Command(name: "/bin/bash")("-c", command, in: place).status == 0, "\(command)")
        }
    }
}
