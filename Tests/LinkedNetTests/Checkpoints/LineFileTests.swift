import Foundation
import Testing

@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

@Suite struct LineFileTests {
    /// A failure to append is no error of reading.
    @Test func aFileThatIsGone() throws {
        let directory = try TemporaryDirectory()
        let file = LineFile(directory.path + "/lines", lines: ["a"], isWritten: true)
        file.add(["b"])
        #expect(throws: CheckpointError.system(operation: .append, path: file.path, code: ENOENT)) { try file.flush() }
        try file.flush()
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "a\nb\n")
    }
}
