#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Disk {
    /// Writes all bytes, brings the bytes to the disk and closes the file. The file is closed after a failure, too.
    func finish(_ file: Int32, at path: String, writing contents: [UnsafeRawBufferPointer]) throws(CheckpointError) {
        do throws(CheckpointError) {
            for piece in contents {
                var rest = piece
                while !rest.isEmpty {
                    let count = try attempt(.write, path) { () throws(DiskError) in try write(rest, to: file) }
                    // Without an error here, the loop would never end on a disk that takes nothing and gives no reason.
                    guard count > 0 else { throw CheckpointError.system(operation: .write, path: path, code: EIO) }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
            try attempt(.synchronize, path) { () throws(DiskError) in try synchronize(file) }
        } catch {
            try? close(file)
            throw error
        }
        do throws(DiskError) {
            try close(file)
        } catch {
            // The bytes are on the disk, and the descriptor is gone.
            guard error.code == EINTR else { throw .system(operation: .close, path: path, code: error.code) }
        }
    }

    /// Renames a file within a directory, and brings the new name to the disk.
    func settle(_ draft: String, as name: String, in directory: String) throws(CheckpointError) {
        let path = "\(directory)/\(name)"
        try attempt(.rename, path) { () throws(DiskError) in try rename("\(directory)/\(draft)", to: path) }
        try settleNames(in: directory)
    }

    /// Brings the names in a directory to the disk, if the file system can. Some network file systems and file systems
    /// of user space can't, and return `EINVAL` or a similar error. Any other failure is the disk's.
    ///
    /// - Returns: false if the file system can't. A power failure may then undo changes of names.
    @discardableResult
    func settleNames(in directory: String) throws(CheckpointError) -> Bool {
        do throws(CheckpointError) {
            try attempt(.synchronizeDirectory, directory) { () throws(DiskError) in
                try synchronizeDirectory(directory)
            }
            return true
        } catch {
            guard case .system(_, _, let code) = error, [EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP].contains(code) else {
                throw error
            }
            return false
        }
    }

    /// Calls `body`, again after each interruption by a signal. The error names the operation and the path. A disk that
    /// is interrupted without end has failed.
    func attempt<Result>(
        _ operation: FileOperation, _ path: String, _ body: () throws(DiskError) -> Result
    ) throws(CheckpointError) -> Result {
        var interruptions = 0
        while true {
            do {
                return try body()
            } catch {
                interruptions += 1
                guard error.code == EINTR, interruptions < 1000 else {
                    throw .system(operation: operation, path: path, code: error.code)
                }
            }
        }
    }
}

/// A regular file open for reading. Opening never blocks: a FIFO, a device or a directory is an error.
final class DiskFile {
    let path: String
    /// The size in bytes when the file was opened.
    let size: Int
    private let disk: any Disk
    private let descriptor: Int32

    /// Opens a file.
    ///
    /// - Parameter expectation: a description of the expected file, for the error.
    init(_ path: String, expectation: String, disk: any Disk) throws(CheckpointError) {
        let descriptor = try disk.attempt(.open, path) { () throws(DiskError) in try disk.open(path) }
        do throws(CheckpointError) {
            let status = try disk.attempt(.open, path) { () throws(DiskError) in try disk.status(descriptor) }
            if let irregularity = status.irregularity {
                throw CheckpointError.content(path: path, offset: nil, expected: expectation, found: irregularity)
            }
            size = status.size
        } catch {
            try? disk.close(descriptor)
            throw error
        }
        self.path = path
        self.disk = disk
        self.descriptor = descriptor
    }

    deinit {
        try? disk.close(descriptor)
    }

    /// Fills `buffer` with the bytes from `offset`.
    ///
    /// - Throws: ``CheckpointError`` if reading fails or the file ends too early.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(CheckpointError) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try disk.attempt(.read, path) { () throws(DiskError) in
                try disk.read(into: rest, from: descriptor, at: offset + done)
            }
            guard count > 0 else {
                throw .content(
                    path: path, offset: offset + done, expected: "\(buffer.count - done) more bytes",
                    found: "the end of the file")
            }
            done += count
        }
    }

    /// The `count` bytes from `offset`.
    ///
    /// - Throws: ``CheckpointError`` if reading fails or the file ends too early.
    func bytes(at offset: Int, count: Int) throws(CheckpointError) -> [UInt8] {
        if OutOfMemory.awaits(count, of: UInt8.self) {
            throw .system(operation: .read, path: path, code: ENOMEM)
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBufferPointer { buffer throws(CheckpointError) in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}
