#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Calls open(2). The method below has the same name and hides open(2).
private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

/// Opens files.
enum FileDescriptor {
    /// Does the same as open(2), but never gives descriptor 0, 1 or 2. A process that was started without these
    /// descriptors would otherwise print into the file.
    ///
    /// - Parameter mode: a new file's rights.
    static func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
        let file = systemOpen(path, flags, mode)
        guard 0...STDERR_FILENO ~= file else { return file }
        let higher = fcntl(file, flags & O_CLOEXEC == 0 ? F_DUPFD : F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let code = errno
        close(file)
        errno = code
        return higher
    }
}
