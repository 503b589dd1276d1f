import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// flock(2), whose name the method below takes.
private func systemFlock(_ file: Int32, _ operation: Int32) -> Int32 { flock(file, operation) }

/// Keeps other writers, in this process and in others, out of a directory for as long as it exists.
///
/// The file `lock` is locked by `flock`, which the system ends with the process, however that ends. The file stays, for
/// removing it would let two processes hold two files of one name.
///
/// Some file systems have no `flock` (Lustre and NFS, by how they are mounted). The lock is then a file, `lock-owner`,
/// that only one process can make. It names its maker. A process that has ended on this machine holds nothing any more;
/// another machine's is taken to run. Each way respects the other's: machines may have mounted one file system
/// differently.
final class DirectoryLock {
    private enum Holding {
        /// The open file that is locked.
        case file(Int32)
        /// The file that is the lock, and what it holds.
        case claim(path: String, text: String)
    }

    private let holding: Holding

    /// - Parameter lockFile: locks an open file unless another process has; gives 0 or the system's error number.
    /// - Throws: ``RunInUse`` if someone has it, ``CheckpointError`` if the file system can't do it.
    init(_ directory: String, lockFile: (Int32) -> Int32 = DirectoryLock.flock) throws {
        // Nothing may throw once every property is set: `deinit` runs then, and gives back what was given back before.
        holding = try Self.acquire(directory, lockFile)
    }

    deinit {
        switch holding {
        case .file(let file):
            // Before it is given back: afterwards it could be the next one's.
            ftruncate(file, 0)
            // A process that another thread is starting may still hold a copy of the descriptor, which would keep the
            // lock beyond `close`.
            _ = systemFlock(file, LOCK_UN)
            close(file)
        case .claim(let path, let text):
            // Somebody may have removed it, and another process made it again.
            if SmallFile.text(path) == text { unlink(path) }
        }
    }

    private static func flock(_ file: Int32) -> Int32 {
        while systemFlock(file, LOCK_EX | LOCK_NB) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    /// Nothing is open, and nothing is made but the file `lock`, if this throws.
    private static func acquire(_ directory: String, _ lockFile: (Int32) -> Int32) throws -> Holding {
        let path = "\(directory)/lock"
        let file = FileDescriptor.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard file >= 0 else { throw CheckpointError.system(operation: .lock, path: path, code: errno) }
        var keepsFile = false
        defer { if !keepsFile { close(file) } }
        let claim = "\(directory)/lock-owner"
        switch lockFile(file) {
        case 0:
            try requireNoClaim(claim, of: directory)
            // For who comes next to be told; on a full disk it does without.
            let text = Array(LockOwner.current().text.utf8)
            ftruncate(file, 0)
            _ = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
            keepsFile = true
            return .file(file)
        case EWOULDBLOCK:
            throw RunInUse(directory: directory, processID: holder(file))
        case ENOSYS, EOPNOTSUPP, ENOTSUP, ENOLCK, EINVAL:
            if let owner = SmallFile.text(file).flatMap(LockOwner.init(text:)) {
                try requireEnd(of: owner, in: directory, written: path)
            }
            return .claim(path: claim, text: try makeClaim(claim, of: directory))
        case let code:
            throw CheckpointError.system(operation: .lock, path: path, code: code)
        }
    }

    /// The holder's note of itself.
    private static func holder(_ file: Int32) -> Int32? {
        SmallFile.text(file).flatMap { Int32($0.prefix { $0 != "\n" }) }
    }

    /// Throws unless a process is known to have ended.
    private static func requireEnd(of owner: LockOwner, in directory: String, written path: String) throws(RunInUse) {
        switch owner.life() {
        case .ended: break
        case .runs: throw RunInUse(directory: directory, processID: owner.processID)
        case .unknown:
            throw RunInUse(directory: directory, processID: owner.processID, host: owner.host, lockFile: path)
        }
    }

    // MARK: Where the file system has no flock

    /// Makes the file that is the lock; returns what it holds.
    private static func makeClaim(_ path: String, of directory: String) throws -> String {
        let text = LockOwner.current().text
        for _ in 0..<patience {
            try requireNoClaim(path, of: directory)
            let code = SmallFile.create(path, text)
            if code == 0 { return text }
            // Another was faster.
            guard code == EEXIST else { throw CheckpointError.system(operation: .lock, path: path, code: code) }
        }
        throw RunInUse(directory: directory, processID: nil, host: nil, lockFile: path)
    }

    private static let patience = 100

    /// Returns when the file isn't there, and removes it if its maker has ended.
    private static func requireNoClaim(_ path: String, of directory: String) throws(RunInUse) {
        for _ in 0..<patience {
            guard let text = SmallFile.text(path) else { return }
            if let owner = LockOwner(text: text) {
                try requireEnd(of: owner, in: directory, written: path)
                remove(path, holding: text)
            } else {
                // Its maker writes into it a moment later.
                usleep(20_000)
            }
        }
        throw RunInUse(directory: directory, processID: nil, host: nil, lockFile: path)
    }

    private static let removal = Mutex(())

    /// Removes a file unless it holds something else by now.
    private static func remove(_ path: String, holding text: String) {
        removal.withLock { _ in
            // Another process may have removed it and made its own since. Renaming shows which of them it was.
            guard SmallFile.text(path) == text else { return }
            let aside = "\(path)-\(LockOwner.current().token)"
            guard rename(path, aside) == 0 else { return }
            if SmallFile.text(aside) != text, link(aside, path) != 0, errno != EEXIST {
                rename(aside, path)
            } else {
                unlink(aside)
            }
        }
    }
}

/// A run that someone else is writing.
public struct RunInUse: Error, Equatable, CustomStringConvertible {
    /// The run's directory.
    public let directory: String
    /// The process that writes it, if it said so.
    public let processID: Int32?
    /// The machine of the process, if it can't be seen from here whether the process still runs.
    public let host: String?
    /// The file that says that the run is in use, if it stays when the process is killed.
    public let lockFile: String?

    init(directory: String, processID: Int32?, host: String? = nil, lockFile: String? = nil) {
        (self.directory, self.processID, self.host, self.lockFile) = (directory, processID, host, lockFile)
    }

    public var description: String {
        "\(directory.printable()): expected a run that nobody else is training, found one in use by "
            + (processID.map { "process \($0)" } ?? "another process")
            + (host.map { " of the host \($0.printable(longest: 100))" } ?? "")
            + (lockFile.map {
                "; if that process has ended, remove \($0.printable()), or train without the lock"
            } ?? "")
    }
}
