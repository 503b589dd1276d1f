import Foundation
import Testing

@testable import LinkedNet

@Suite struct DirectoryLockTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func oneHolderAtATime() throws {
        var first: DirectoryLock? = try DirectoryLock(directory.path)
        #expect(throws: RunInUse(directory: directory.path, processID: getpid())) { try DirectoryLock(directory.path) }
        withExtendedLifetime(first) {}
        first = nil
        _ = try DirectoryLock(directory.path)
    }

    @Test func theHolderIsNamed() {
        #expect("\(RunInUse(directory: "runs/a", processID: 12))".hasSuffix("found one in use by process 12"))
        #expect("\(RunInUse(directory: "runs/a", processID: nil))".hasSuffix("found one in use by another process"))
    }

    @Test func namesInErrorsMoveNoCursor() {
        #expect("\(RunInUse(directory: "a\u{1B}[2J", processID: 1))".hasPrefix("a\\u{1b}[2J:"))
    }

    @Test func aDirectoryThatIsNotThere() {
        #expect(throws: CheckpointError.system(operation: .lock, path: "\(directory.path)/none/lock", code: ENOENT)) {
            try DirectoryLock("\(directory.path)/none")
        }
    }
}
