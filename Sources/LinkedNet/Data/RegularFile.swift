#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Calls read(2). The method below has the same name and hides read(2).
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

/// An open regular file of known size.
///
/// Opening never blocks: a FIFO, a device or a directory is an error. Reading handles interruptions and short reads.
final class RegularFile: ByteStream {
    /// The path as given.
    let path: String
    /// The size in bytes when the file was opened.
    let size: Int
    private let descriptor: Int32
    private var position = 0

    /// Opens a file for reading.
    ///
    /// - Parameter expectation: a description of the file that was expected, for the error.
    init(_ path: String, expectation: String) throws(DataError) {
        var opened: Int32
        repeat {
            opened = FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else {
            throw DataError(path: path, expected: expectation, found: Self.describe(errno))
        }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw DataError(path: path, expected: expectation, found: Self.describe(code))
        }
        if let irregularity = FileKind.irregularity(status.st_mode) {
            close(opened)
            throw DataError(path: path, expected: expectation, found: irregularity)
        }
        self.path = path
        size = Int(status.st_size)
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }

    var largestContent: Int { size }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = systemRead(descriptor, start + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw DataError(path: path, offset: position, expected: "readable content", found: Self.describe(errno))
            }
            if count == 0 { break }
            done += count
            position += count
        }
        return done
    }

    private static func describe(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

extension RegularFile {
    /// True if there is a directory at `path`.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// True if something exists at `path`, even a link that leads nowhere.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}
