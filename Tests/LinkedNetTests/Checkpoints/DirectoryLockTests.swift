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

    /// A process that another thread starts has a copy of the descriptor until the process executes its program.
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

    /// A refusal closes its file once. If the refusal closed or emptied the descriptor again, the descriptor could by
    /// then be another thread's.
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

    /// A thread that opens and closes descriptors of a file without a pause. The thread soon takes any free number.
    private final class DescriptorUser: @unchecked Sendable {
        private let file: Int32
        private let isStopping = Atomic(false)
        private let done = DispatchSemaphore(value: 0)
        /// Other threads read the variables only after `done`.
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

    // MARK: File systems without flock

    private var claim: String { "\(directory.path)/lock-owner" }

    private func lockWithoutFlock(_ code: Int32 = ENOSYS) throws -> DirectoryLock {
        try DirectoryLock(directory.path) { _ in code }
    }

    @Test(arguments: [ENOSYS, EOPNOTSUPP, ENOLCK])
    func aFileIsTheLockWithoutFlock(code: Int32) throws {
        var first: DirectoryLock? = try lockWithoutFlock(code)
        #expect(throws: RunInUse(directory: directory.path, processID: getpid())) { try lockWithoutFlock(code) }
        #expect(LockOwner(text: SmallFile.text(claim) ?? "")?.processID == getpid())
        withExtendedLifetime(first) {}
        first = nil
        #expect(SmallFile.text(claim) == nil)
        _ = try lockWithoutFlock(code)
    }

    /// A failing disk doesn't count as a file system without locks.
    @Test func otherFailuresOfFlockStayErrors() {
        #expect(throws: CheckpointError.system(operation: .lock, path: "\(directory.path)/lock", code: EIO)) {
            try lockWithoutFlock(EIO)
        }
    }

    /// Machines may have mounted one file system with and without flock.
    @Test func eachWayRespectsTheOther() throws {
        let used = RunInUse(directory: directory.path, processID: getpid())
        do {
            let lock = try lockWithoutFlock()
            #expect(throws: used) { try DirectoryLock(directory.path) }
            withExtendedLifetime(lock) {}
        }
        let lock = try DirectoryLock(directory.path)
        #expect(throws: used) { try lockWithoutFlock() }
        withExtendedLifetime(lock) {}
    }

    /// A new process takes over a killed process's file: the killed process's number is free, or another process has
    /// the number.
    @Test func aProcessThatHasEndedHoldsNothing() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        let own = LockOwner.current()
        let ended = owner(own, processID: process.processIdentifier)
        var reused = own
        reused.start = "1"
        for other in [ended, reused] {
            for flockCode in [0, ENOSYS] {
                try directory.write("lock-owner", Array(other.text.utf8))
                _ = try DirectoryLock(directory.path) { _ in flockCode }
                #expect(SmallFile.text(claim) == nil)
            }
        }
    }

    private func owner(_ owner: LockOwner, processID: Int32? = nil, host: String? = nil) -> LockOwner {
        LockOwner(
            processID: processID ?? owner.processID, host: host ?? owner.host, boot: owner.boot,
            namespace: owner.namespace, start: owner.start, token: owner.token)
    }

    /// This machine can't see if another machine's process still runs, so the error tells the user what to do.
    @Test func anotherMachinesLockIsRespected() throws {
        var other = owner(.current(), host: "elsewhere")
        other.boot = "another"
        try directory.write("lock-owner", Array(other.text.utf8))
        let expected = RunInUse(
            directory: directory.path, processID: getpid(), host: "elsewhere", lockFile: claim)
        for code in [0, ENOSYS] {
            #expect(throws: expected) { try DirectoryLock(directory.path) { _ in code } }
        }
        for part in ["the host elsewhere", "remove \(claim)", "without the lock"] {
            #expect("\(expected)".contains(part), "\(part)")
        }
        #expect(SmallFile.text(claim) == other.text)
    }

    @Test func whatCanBeKnownOfAProcess() {
        let own = LockOwner.current()
        #expect(own.life(seenBy: own) == .runs)
        #expect(LockOwner(text: own.text) == own)
        for text in ["", "12\n", own.text + "\n", own.text.replacing("\(getpid())", with: "-1")] {
            #expect(LockOwner(text: text) == nil, "\(text)")
        }
        // The machine has restarted, or is another machine.
        var earlier = own
        earlier.boot = "before"
        #expect(earlier.life(seenBy: own) == (own.host == "localhost" ? .unknown : .ended))
        #expect(owner(earlier, host: "localhost").life(seenBy: owner(own, host: "localhost")) == .unknown)
        #expect(owner(earlier, host: "elsewhere").life(seenBy: own) == .unknown)
        // The process is in a container of the same machine.
        var contained = own
        contained.namespace = "pid:[1]"
        #expect(contained.life(seenBy: own) == .unknown)
    }

    /// A file without an owner may belong to a running process.
    @Test func aLockThatNamesNobodyIsRespected() throws {
        try directory.write("lock-owner", Array("12\nhal".utf8))
        let expected = RunInUse(directory: directory.path, processID: nil, lockFile: claim)
        #expect(throws: expected) { try lockWithoutFlock() }
    }

    /// Several threads find a killed process's file at the same moment. One thread at a time has the lock.
    @Test func oneTakesOverWhatAKilledProcessLeft() throws {
        var ended = LockOwner.current()
        ended.start = "1"
        let path = directory.path
        let holders = Atomic(0), most = Atomic(0), locked = Atomic(0)
        for _ in 0..<20 {
            try directory.write("lock-owner", Array(ended.text.utf8))
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                guard let lock = try? DirectoryLock(path, lockFile: { _ in ENOSYS }) else { return }
                let count = holders.add(1, ordering: .sequentiallyConsistent).newValue
                most.max(count, ordering: .sequentiallyConsistent)
                locked.add(1, ordering: .sequentiallyConsistent)
                usleep(1_000)
                holders.subtract(1, ordering: .sequentiallyConsistent)
                withExtendedLifetime(lock) {}
            }
        }
        #expect(most.load(ordering: .sequentiallyConsistent) == 1)
        #expect(locked.load(ordering: .sequentiallyConsistent) >= 20)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["lock"])
    }
}
