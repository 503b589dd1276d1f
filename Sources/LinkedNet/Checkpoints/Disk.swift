/// The operations of a file system that checkpoints need. A protocol so that a disk that fails can stand in for the
/// real one.
///
/// Each method is one system call, which may be interrupted or do less than asked; retrying is the caller's.
protocol Disk: Sendable {
    /// Creates a file for writing; fails if there is anything at `path`.
    func create(_ path: String) throws(DiskError) -> Int32
    /// Opens a file for writing at its end; fails if there is none.
    func append(_ path: String) throws(DiskError) -> Int32
    /// Opens a file for reading, without blocking whatever it is.
    func open(_ path: String) throws(DiskError) -> Int32
    /// The kind and the size of an open file.
    func status(_ file: Int32) throws(DiskError) -> FileStatus
    /// Appends bytes; returns how many were taken.
    func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(DiskError) -> Int
    /// Reads bytes from `offset`; returns how many, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int) throws(DiskError) -> Int
    /// Returns when what was written is on the disk.
    func synchronize(_ file: Int32) throws(DiskError)
    /// Closes a file; the descriptor is gone even if this fails.
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
    /// How many bytes may still be written to the file system that a directory is on; `nil` if it keeps no count.
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
    /// In bytes.
    let size: Int
}
