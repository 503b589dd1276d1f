package import Foundation

/// Reads small files at once.
package enum WholeFile {
    /// The bytes of a regular file. Never blocks, and takes no more memory than the file has bytes: a FIFO, a device or
    /// a directory is an error.
    ///
    /// - Parameter expectation: a description of the expected file, for the error.
    package static func read(_ path: String, expectation: String) throws(CheckpointError) -> Data {
        let file = try DiskFile(path, expectation: expectation, disk: SystemDisk())
        return Data(try file.bytes(at: 0, count: file.size))
    }
}
