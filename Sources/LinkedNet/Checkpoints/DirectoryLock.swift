#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Keeps other writers, in this process and in others, out of a directory for as long as it exists. The system ends it
/// with the process, however that ends.
///
/// The file that it takes stays, for removing it would let two processes hold two files of one name.
final class DirectoryLock {
    private let file: Int32

    /// - Throws: ``RunInUse`` if someone has it, ``CheckpointError`` if the file system can't do it.
    init(_ directory: String) throws {
        // Nothing may throw once every property is set: `deinit` runs then, and gives back what was given back before.
        file = try Self.lockedFile(of: directory)
    }

    /// The open file that holds the lock. Nothing is open if this throws.
    private static func lockedFile(of directory: String) throws -> Int32 {
        let path = "\(directory)/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard file >= 0 else { throw CheckpointError.system(operation: .lock, path: path, code: errno) }
        var result: Int32
        repeat { result = flock(file, LOCK_EX | LOCK_NB) } while result != 0 && errno == EINTR
        guard result == 0 else {
            let code = errno
            defer { close(file) }
            guard code == EWOULDBLOCK else { throw CheckpointError.system(operation: .lock, path: path, code: code) }
            throw RunInUse(directory: directory, processID: Self.holder(file))
        }
        // For who comes next to be told; on a full disk it does without.
        let text = Array("\(getpid())\n".utf8)
        ftruncate(file, 0)
        _ = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        return file
    }

    deinit {
        // Before it is given back: afterwards it could be the next one's.
        ftruncate(file, 0)
        // A process that another thread is starting may still hold a copy of the descriptor, which would keep the lock
        // beyond `close`.
        flock(file, LOCK_UN)
        close(file)
    }

    /// What the holder wrote of itself.
    private static func holder(_ file: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &bytes, bytes.count, 0)
        let line = bytes.prefix(max(count, 0)).prefix { $0 != UInt8(ascii: "\n") }
        return Int32(String(decoding: line, as: UTF8.self))
    }
}

/// A run that someone else is writing.
public struct RunInUse: Error, Equatable, CustomStringConvertible {
    /// The run's directory.
    public let directory: String
    /// The process that writes it, if it said so.
    public let processID: Int32?

    public var description: String {
        "\(directory.printable()): expected a run that nobody else is training, found one in use by "
            + (processID.map { "process \($0)" } ?? "another process")
    }
}
