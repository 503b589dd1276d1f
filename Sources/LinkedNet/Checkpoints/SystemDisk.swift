#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

// These functions call the system. The methods below have the same names and hide the system calls.
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int { write(file, bytes, count) }
private func systemClose(_ file: Int32) -> Int32 { close(file) }
private func systemRename(_ source: String, _ destination: String) -> Int32 { rename(source, destination) }

/// The real file system.
struct SystemDisk: Disk {
    func create(_ path: String) throws(DiskError) -> Int32 {
        try checked(FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666))
    }

    func append(_ path: String) throws(DiskError) -> Int32 {
        try checked(FileDescriptor.open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC))
    }

    func open(_ path: String) throws(DiskError) -> Int32 {
        try checked(FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
    }

    func status(_ file: Int32) throws(DiskError) -> FileStatus {
        var status = stat()
        _ = try checked(fstat(file, &status))
        return FileStatus(irregularity: FileKind.irregularity(status.st_mode), size: Int(status.st_size))
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(DiskError) -> Int {
        try checked(systemWrite(file, bytes.baseAddress, bytes.count))
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int
    ) throws(DiskError) -> Int {
        try checked(pread(file, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    func synchronize(_ file: Int32) throws(DiskError) {
        _ = try checked(fsync(file))
        #if os(Linux)
        // Bytes that are read back to verify a file should come from the disk and not from memory. The call is only
        // advice: a failure of the call means nothing.
        _ = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        #endif
    }

    func close(_ file: Int32) throws(DiskError) {
        _ = try checked(systemClose(file))
    }

    func rename(_ source: String, to destination: String) throws(DiskError) {
        _ = try checked(systemRename(source, destination))
    }

    func synchronizeDirectory(_ path: String) throws(DiskError) {
        let directory = try checked(FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { _ = systemClose(directory) }
        _ = try checked(fsync(directory))
    }

    func makeDirectory(_ path: String) throws(DiskError) {
        _ = try checked(mkdir(path, 0o777))
    }

    func remove(_ path: String) throws(DiskError) {
        _ = try checked(unlink(path))
    }

    func names(in directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else { throw DiskError(code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // Only `errno` tells the end from a failure.
            errno = 0
            guard let entry = readdir(stream) else { break }
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
                })
        }
        guard errno == 0 else { throw DiskError(code: errno) }
        return names
    }

    func freeSpace(in directory: String) throws(DiskError) -> Int? {
        var status = statvfs()
        _ = try checked(statvfs(directory, &status))
        // Some network file systems say nothing about their size.
        guard status.f_blocks > 0 else { return nil }
        let (bytes, overflows) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return overflows ? .max : bytes
    }

    /// The result of a system call, unless the result is -1, which stands for an error.
    private func checked<Result: SignedInteger>(_ result: Result) throws(DiskError) -> Result {
        guard result >= 0 else { throw DiskError(code: errno) }
        return result
    }
}
