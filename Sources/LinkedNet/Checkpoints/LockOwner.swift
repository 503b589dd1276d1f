#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The process that holds a lock, as written by the process itself. The owner tells whether the process still runs.
struct LockOwner: Equatable {
    /// The state of a process, as far as this process can know.
    enum Life {
        case runs, ended
        /// The process belongs to another machine or container.
        case unknown
    }

    let processID: Int32
    let host: String
    /// The start of the operating system during which the process began; empty where the system gives no identifier.
    var boot = ""
    /// The namespace of the process number: containers number their own processes.
    var namespace = ""
    /// The time when the process began, in the system's own count; empty where the system gives no time. The system
    /// uses process numbers again, and the time tells such processes apart.
    var start = ""
    /// A random text that tells the locks of one process apart.
    var token = ""

    /// This process, with a new token.
    static func current() -> LockOwner {
        var name = [CChar](repeating: 0, count: 256)
        // One byte stays for the end: a name that is cut off has no end.
        gethostname(&name, name.count - 1)
        return LockOwner(
            processID: getpid(),
            host: String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self),
            boot: firstLine(of: "/proc/sys/kernel/random/boot_id"), namespace: link("/proc/self/ns/pid"),
            start: start(of: getpid()), token: String(UInt64.random(in: .min ... .max), radix: 16))
    }

    /// A line for each property.
    var text: String { ["\(processID)", host, boot, namespace, start, token].map { $0 + "\n" }.joined() }

    /// Reads ``text``; `nil` for anything else.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 7, lines[6].isEmpty, let number = Int32(lines[0]), number > 0 else { return nil }
        self.init(
            processID: number, host: lines[1], boot: lines[2], namespace: lines[3], start: lines[4], token: lines[5])
    }

    init(processID: Int32, host: String, boot: String, namespace: String, start: String, token: String) {
        (self.processID, self.host, self.boot) = (processID, host, boot)
        (self.namespace, self.start, self.token) = (namespace, start, token)
    }

    /// Tells whether the process still runs, seen from `observer`.
    func life(seenBy observer: LockOwner = .current()) -> Life {
        if boot == observer.boot, !boot.isEmpty || host == observer.host {
            guard namespace == observer.namespace else { return .unknown }
            return isRunning ? .runs : .ended
        }
        // The machine was started anew since. "localhost" doesn't count: many machines have this name.
        let isSameMachine = host == observer.host && host != "localhost" && !host.isEmpty
        return isSameMachine && !boot.isEmpty && !observer.boot.isEmpty ? .ended : .unknown
    }

    private var isRunning: Bool {
        guard kill(processID, 0) == 0 || errno == EPERM else { return false }
        let found = Self.start(of: processID)
        // Where the system gives no start time, any process of this number may be the owner.
        return found == start || found.isEmpty || start.isEmpty
    }

    /// The time when a process began; empty where the system gives no time, "ended" for a process that only the parent
    /// process still knows.
    private static func start(of processID: Int32) -> String {
        // The line is `number (name) state …`, with the start time as field 22. A name may hold any characters.
        let line = firstLine(of: "/proc/\(processID)/stat")
        guard let end = line.lastIndex(of: ")") else { return "" }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return "" }
        return fields[0] == "Z" || fields[0] == "X" ? "ended" : String(fields[19])
    }

    private static func firstLine(of path: String) -> String {
        String(SmallFile.text(path)?.prefix { $0 != "\n" } ?? "")
    }

    private static func link(_ path: String) -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Files of a few lines.
enum SmallFile {
    /// The first 4 KB of a file; `nil` if the file can't be read.
    static func text(_ path: String) -> String? {
        let file = FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return text(file)
    }

    /// The first 4 KB of an open file; `nil` if the file can't be read.
    static func text(_ file: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var count: Int
        repeat { count = pread(file, &bytes, bytes.count, 0) } while count < 0 && errno == EINTR
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Makes a new file; returns 0 or the system's error number, also if there is a file already.
    static func create(_ path: String, _ text: String) -> Int32 {
        let file = FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard file >= 0 else { return errno }
        let bytes = Array(text.utf8)
        var count: Int
        repeat { count = pwrite(file, bytes, bytes.count, 0) } while count < 0 && errno == EINTR
        var code = count < 0 ? errno : count == bytes.count ? 0 : ENOSPC
        if close(file) != 0, code == 0, errno != EINTR { code = errno }
        if code != 0 { unlink(path) }
        return code
    }
}
