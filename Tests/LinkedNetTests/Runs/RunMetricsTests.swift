import Testing

@testable import LinkedNet

/// The metrics of a run that is resumed after three epochs.
@Suite struct RunMetricsTests {
    private static let path = "run/metrics.jsonl"

    private static func line(_ epoch: Int) -> String { "{\"epoch\":\(epoch)}\n" }

    private func disk(_ text: String?) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try RunDirectory.make("run", on: disk)
        if let text { try write(text, to: Self.path, on: disk) }
        return disk
    }

    private func write(_ text: String, to path: String, on disk: SimulatedDisk) throws {
        try Array(text.utf8).withUnsafeBytes { try DurableFile.replace(path, contents: [$0], on: disk) }
    }

    private func contents(_ path: String, _ disk: SimulatedDisk) -> String? {
        disk.contents(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A killed process has left `rest` behind the last epoch's line.
    @Test(arguments: ["", line(4), "{\"epo", line(4) + "\0\0\0", line(3), "\n"])
    func whatFollowsTheLastEpochIsDropped(rest: String) throws {
        let good = (1...3).map(Self.line).joined()
        let disk = try disk(good + rest)
        let metrics = try RunMetrics("run", epochs: 3, on: disk)
        #expect(metrics.damage == nil)
        try metrics.file().flush()
        #expect(contents(Self.path, disk) == good)
        #expect(try disk.names(in: "run") == ["metrics.jsonl"])
    }

    /// Epochs without a line: the run goes on with the lines that exist, and loses nothing.
    @Test(arguments: [(nil, [], nil), ("", [], 0), (line(1) + line(3), [1, 3], 12), (line(1) + line(2), [1, 2], 24)])
    func missingLinesAreAnnounced(text: String?, kept: [Int], offset: Int?) throws {
        let disk = try disk(text)
        let metrics = try RunMetrics("run", epochs: 3, on: disk)
        #expect(
            metrics.damage
                == .content(
                    path: Self.path, offset: offset, expected: "a line for each of the epochs 1 to 3",
                    found: text == nil ? "no file" : "\(kept.count) of them"))
        let file = try metrics.file()
        file.add([String(Self.line(4).dropLast())])
        try file.flush()
        #expect(contents(Self.path, disk) == (kept + [4]).map(Self.line).joined())
        #expect(try disk.names(in: "run") == ["metrics.jsonl"])
    }

    /// Lines of other epochs will be removed, so the run copies the file before.
    @Test(arguments: [
        (line(1) + "nonsense\n" + line(3), [1, 3], 12), (line(1) + line(1) + line(2) + line(3), [1, 2, 3], 12),
        (line(1) + line(3) + line(2), [1, 3], 12), (line(1) + line(2) + "{\"epoch\":3", [1, 2], 24),
        (line(1) + line(4), [1], 12),
        (line(3) + line(2) + line(3), [3], 0),
    ])
    func otherLinesAreSetAside(text: String, kept: [Int], offset: Int) throws {
        let disk = try disk(text)
        let metrics = try RunMetrics("run", epochs: 3, on: disk)
        #expect(
            metrics.damage
                == .content(
                    path: Self.path, offset: offset, expected: "a line for each of the epochs 1 to 3",
                    found: "\(kept.count) of them and others"))
        #expect(contents(Self.path, disk) == text)
        try metrics.file().flush()
        #expect(contents(Self.path, disk) == kept.map(Self.line).joined())
        #expect(contents("run/metrics-damaged.jsonl", disk) == text)
        // A second copy gets another name.
        try write("other\n", to: Self.path, on: disk)
        try RunMetrics("run", epochs: 3, on: disk).file().flush()
        #expect(contents("run/metrics-damaged.jsonl", disk) == text)
        #expect(contents("run/metrics-damaged-2.jsonl", disk) == "other\n")
    }
}
