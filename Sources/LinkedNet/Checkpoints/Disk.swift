/// The operations of a file system that checkpoints need. With the protocol, a failing disk can take the place of the
/// real disk.
///
/// Each method is one system call. A call may be interrupted, or do less than asked: the caller tries again.
protocol Disk: Sendable {
    /// Creates a file for writing; fails if there is anything at `path`.
    func create(_ path: String) throws(DiskError) -> Int32
    /// Opens a file for writing at its end; fails if there is no file.
    func append(_ path: String) throws(DiskError) -> Int32
    /// Opens a file for reading, without blocking for any kind of file.
    func open(_ path: String) throws(DiskError) -> Int32
    /// The kind and the size of an open file.
    func status(_ file: Int32) throws(DiskError) -> FileStatus
    /// Appends bytes; returns the number of bytes that the disk took.
    func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(DiskError) -> Int
    /// Reads bytes from `offset`; returns the number of bytes, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int) throws(DiskError) -> Int
    /// Returns when the written bytes are on the disk.
    func synchronize(_ file: Int32) throws(DiskError)
    /// Closes a file; the descriptor is gone even after a failure.
    func close(_ file: Int32) throws(DiskError)
    /// Puts the file `source` in the place of `destination` in one indivisible step.
    func rename(_ source: String, to destination: String) throws(DiskError)
    /// Returns when the names in a directory are on the disk.
    func synchronizeDirectory(_ path: String) throws(DiskError)
    /// Makes a directory; fails if there is anything at `path`.
    func makeDirectory(_ path: String) throws(DiskError)
    /// Removes a file's name.
    func remove(_ path: String) throws(DiskError)
    /// The names in a directory, in any order.
    func names(in directory: String) throws(DiskError) -> [String]
    /// The number of bytes that the directory's file system still has room for; `nil` if the file system keeps no
    /// count.
    func freeSpace(in directory: String) throws(DiskError) -> Int?
}

/// The system's error number.
struct DiskError: Error {
    let code: Int32
}

/// The kind and the size of an open file.
struct FileStatus {
    /// The kind of anything but a regular file: `a directory`.
    let irregularity: String?
    /// The size in bytes.
    let size: Int
}
