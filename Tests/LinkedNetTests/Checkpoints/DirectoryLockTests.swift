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

    /// As a process that another thread is starting has, until it executes its program.
    @Test func aCopyOfTheDescriptorKeepsNothing() throws {
        var first: DirectoryLock? = try DirectoryLock(directory.path)
        let path = URL(fileURLWithPath: directory.path).resolvingSymlinksInPath().path + "/lock"
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let own = try #require(
            descriptors.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
            })
        let copy = dup(own)
        defer { close(copy) }
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
