import Foundation
import Testing

/// The library from the view of another package.
@Suite struct ConsumerTests {
    private static let switchName = "LINKEDNET_TEST_CONSUMER"

    /// The test builds a whole second package, and runs only on request, as in `.ci/run`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment[switchName] != nil, "\(switchName) is not set"))
    func anotherPackageImportsByVersionAndTrains() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let script = Process()
        script.executableURL = root.appending(path: "scripts/check-consumer")
        script.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        script.standardOutput = pipe
        try script.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        script.waitUntilExit()

        #expect(script.terminationStatus == 0, "\(output)")
        let losses = try output.matches(of: /epoch \d+: loss (\d+\.\d+)/).map { try #require(Double($0.output.1)) }
        #expect(losses.count >= 2)
        #expect(!losses.contains { !$0.isFinite })
        let first = try #require(losses.first)
        let last = try #require(losses.last)
        #expect(last < first)
    }
}
