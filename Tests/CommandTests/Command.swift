import Foundation
import Testing

/// One of the package's commands, built together with these tests, or a system program by its path.
struct Command {
    let name: String

    static let train = Command(name: "train")
    static let evaluate = Command(name: "evaluate")
    static let reproduce = Command(name: "reproduce")

    /// The outputs and the status of a finished command.
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        var errorLines: [Substring] { errors.split(separator: "\n") }

        /// Standard output as one JSON object per line.
        func events() throws -> [[String: Any]] {
            try output.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }
    }

    /// The path of the command.
    var path: String {
        if name.hasPrefix("/") { return name }
        return URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name)
            .path
    }

    /// The longest time of a command, in seconds, because a command that ignores an option may train for hours.
    private static let longest = 600.0

    /// Runs the command in `directory` and waits for its end.
    ///
    /// - Parameter whileRunning: called with the process after its start.
    func callAsFunction(
        _ arguments: String..., in directory: Workplace, environment: [String: String] = [:],
        whileRunning: (Process) throws -> Void = { _ in }
    ) throws -> Result {
        try run(arguments, in: directory, environment: environment, whileRunning: whileRunning)
    }

    /// Does the same as ``callAsFunction(_:in:environment:whileRunning:)``, with arguments in an array.
    ///
    /// - Parameter terminal: standard output, if the output goes to a terminal; the result then has no output.
    func run(
        _ arguments: [String], in directory: Workplace, environment: [String: String] = [:],
        terminal: FileHandle? = nil, whileRunning: (Process) throws -> Void = { _ in }
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // The outputs are files and not pipes, so that no thread has to read while the command runs.
        let names = ["output", "errors"].map { "\(directory.path)/\($0)-\(UUID().uuidString)" }
        let files = try names.map { name in
            try Data().write(to: URL(fileURLWithPath: name))
            return try #require(FileHandle(forWritingAtPath: name))
        }
        (process.standardOutput, process.standardError) = (terminal ?? files[0], files[1])
        // Under nohup or in a script's background, the tests ignore some signals, and would hand down these ignored
        // signals.
        for number in [SIGHUP, SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        try process.run()
        let identifier = process.processIdentifier
        let watch = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.longest, execute: watch)
        defer { watch.cancel() }
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        try whileRunning(process)
        process.waitUntilExit()
        let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}

/// A directory of its own for a test, with a small data set in `data`. The directory goes with the last reference.
final class Workplace {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "linkednet-command-\(UUID().uuidString)"
        try writeImages("data", side: 8)
    }

    /// Makes a directory with 200 training and 30 test images.
    func writeImages(_ name: String, side: Int) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        let size = side * side
        for (split, count) in [("train", 200), ("t10k", 30)] {
            func header(_ sizes: [Int]) -> [UInt8] {
                [0, 0, 8, UInt8(sizes.count)]
                    + sizes.flatMap { size in [24, 16, 8, 0].map { UInt8(size >> $0 & 255) } }
            }
            let pixels = (0..<count * size).map { index -> UInt8 in
                let noise = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 13) / 3
                return noise + (index / size % 10 == index % 10 ? 150 : 0)
            }
            try write("\(name)/\(split)-images-idx3-ubyte", header([count, side, side]) + pixels)
            try write("\(name)/\(split)-labels-idx1-ubyte", header([count]) + (0..<count).map { UInt8($0 % 10) })
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
