import Foundation
import Synchronization
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

    /// A refusal closes the file that it opened, once. Closed or emptied again, the descriptor is another thread's by
    /// then.
    @Test func aRefusalTouchesNobodyElsesFile() throws {
        let lock = try DirectoryLock(directory.path)
        let users = try (0..<3).map { number in
            try directory.write("file-\(number)", [1])
            return DescriptorUser("\(directory.path)/file-\(number)")
        }
        for user in users { Thread.detachNewThread { user.run() } }
        let wanted = 50_000
        var refusals = 0
        for _ in 0..<wanted {
            do { _ = try DirectoryLock(directory.path) } catch { refusals += error is RunInUse ? 1 : 0 }
        }
        let results = users.map { $0.stop() }
        withExtendedLifetime(lock) {}
        #expect(refusals == wanted)
        #expect(results.allSatisfy { $0.descriptors > 0 })
        #expect(results.map(\.lost) == [0, 0, 0])
        #expect(results.map(\.size) == [1, 1, 1])
    }

    /// A thread that opens and closes descriptors of a file without a pause, so that a number that is free anywhere is
    /// soon its own.
    private final class DescriptorUser: @unchecked Sendable {
        private let file: Int32
        private let isStopping = Atomic(false)
        private let done = DispatchSemaphore(value: 0)
        /// Read by others after `done` only.
        private var (descriptors, lost) = (0, 0)

        init(_ path: String) { file = open(path, O_RDWR) }

        func run() {
            while !isStopping.load(ordering: .relaxed) {
                let copy = dup(file)
                if close(copy) != 0 { lost += 1 }
                descriptors += 1
            }
            done.signal()
        }

        func stop() -> (descriptors: Int, lost: Int, size: Int) {
            isStopping.store(true, ordering: .relaxed)
            done.wait()
            var status = stat()
            fstat(file, &status)
            close(file)
            return (descriptors, lost, Int(status.st_size))
        }
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
