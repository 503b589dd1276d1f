import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Calls flock(2). The method below has the same name and hides flock(2).
private func systemFlock(_ file: Int32, _ operation: Int32) -> Int32 { flock(file, operation) }

/// Keeps other writers, in this process and in other processes, out of a directory as long as the lock exists.
///
/// `flock` locks the file `lock`. The system ends the lock with the process, however the process ends. The file stays:
/// after a removal, two processes could lock two files of the same name.
///
/// Some file systems have no `flock` (Lustre and NFS, depending on the mount). The lock is then a file, `lock-owner`,
/// that only one process can make. The file names the process that made the file. A process that has ended on this
/// machine holds no lock any more. A process of another machine counts as running. `flock` and the file respect each
/// other, because machines may have mounted one file system in different ways.
final class DirectoryLock {
    private enum Holding {
        /// The open file that is locked.
        case file(Int32)
        /// The file that is the lock, and the content of the file.
        case claim(path: String, text: String)
    }

    private let holding: Holding

    /// - Parameter lockFile: locks an open file unless another process has locked the file; returns 0 or the system's
    ///   error number.
    /// - Throws: ``RunInUse`` if another writer has the lock, ``CheckpointError`` if the file system can't lock.
    init(_ directory: String, lockFile: (Int32) -> Int32 = DirectoryLock.flock) throws {
        // Nothing may throw after every property is set: `deinit` would run then, and release the lock a second time.
        holding = try Self.acquire(directory, lockFile)
    }

    deinit {
        switch holding {
        case .file(let file):
            // The note is erased before the unlock: afterwards the note could be the next holder's.
            ftruncate(file, 0)
            // Another thread may be starting a process that still holds a copy of the descriptor. Without the unlock,
            // the copy would keep the lock beyond `close`.
            _ = systemFlock(file, LOCK_UN)
            close(file)
        case .claim(let path, let text):
            // A user may have removed the file, and another process may have made the file again.
            if SmallFile.text(path) == text { unlink(path) }
        }
    }

    private static func flock(_ file: Int32) -> Int32 {
        while systemFlock(file, LOCK_EX | LOCK_NB) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    /// After an error, no file is open, and no file is made except `lock`.
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
            // The note names the holder for the next process. On a full disk, the lock works without the note.
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

    /// The process number in the holder's note.
    private static func holder(_ file: Int32) -> Int32? {
        SmallFile.text(file).flatMap { Int32($0.prefix { $0 != "\n" }) }
    }

    /// Throws unless a process has certainly ended.
    private static func requireEnd(of owner: LockOwner, in directory: String, written path: String) throws(RunInUse) {
        switch owner.life() {
        case .ended: break
        case .runs: throw RunInUse(directory: directory, processID: owner.processID)
        case .unknown:
            throw RunInUse(directory: directory, processID: owner.processID, host: owner.host, lockFile: path)
        }
    }

    // MARK: Where the file system has no flock

    /// Makes the file that is the lock; returns the content of the file.
    private static func makeClaim(_ path: String, of directory: String) throws -> String {
        let text = LockOwner.current().text
        for _ in 0..<patience {
            try requireNoClaim(path, of: directory)
            let code = SmallFile.create(path, text)
            if code == 0 { return text }
            // Another process was faster.
            guard code == EEXIST else { throw CheckpointError.system(operation: .lock, path: path, code: code) }
        }
        throw RunInUse(directory: directory, processID: nil, host: nil, lockFile: path)
    }

    private static let patience = 100

    /// Returns when the file doesn't exist. Removes the file if the process that made the file has ended.
    private static func requireNoClaim(_ path: String, of directory: String) throws(RunInUse) {
        for _ in 0..<patience {
            guard let text = SmallFile.text(path) else { return }
            if let owner = LockOwner(text: text) {
                try requireEnd(of: owner, in: directory, written: path)
                remove(path, holding: text)
            } else {
                // The process that made the file writes the content a moment later.
                usleep(20_000)
            }
        }
        throw RunInUse(directory: directory, processID: nil, host: nil, lockFile: path)
    }

    private static let removal = Mutex(())

    /// Removes a file, unless the content has changed by now.
    private static func remove(_ path: String, holding text: String) {
        removal.withLock { _ in
            // Another process may have removed the file and made a new file since. The content after the renaming shows
            // which file was renamed.
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

/// A run that another writer uses.
public struct RunInUse: Error, Equatable, CustomStringConvertible {
    /// The run's directory.
    public let directory: String
    /// The process that writes the run, if the process left a note.
    public let processID: Int32?
    /// The machine of the other process, if this process can't see whether the other process still runs.
    public let host: String?
    /// The file that marks the run as in use, if the file stays after the process is killed.
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
