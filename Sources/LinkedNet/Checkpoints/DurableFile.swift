#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Files that are either the old or the new version, whatever happens.
public enum DurableFile {
    /// The beginning and the end of the names of temporary files.
    static let temporaryPrefix = ".linkednet-"
    static let temporarySuffix = ".tmp"

    /// Puts a file with `contents` at `path`, in the place of an older file, if any.
    ///
    /// A temporary file in the same directory is written, brought to the disk, read back and compared, and only then
    /// renamed. If anything fails before the renaming, the file at `path` stays untouched, and the temporary file is
    /// removed. If bringing the directory to the disk fails, the new file is in place, but a power failure may bring
    /// back the old file. The same holds, without an error, for a file system that can't synchronise directories at
    /// all. A symbolic link at `path` is itself replaced.
    ///
    /// - Parameters:
    ///   - path: the file to make or to replace.
    ///   - contents: the content of the file, in pieces; nothing is copied.
    /// - Throws: ``CheckpointError``.
    public static func replace(_ path: String, contents: [UnsafeRawBufferPointer]) throws(CheckpointError) {
        try replace(path, contents: contents, on: SystemDisk())
    }

    static func replace(
        _ path: String, contents: [UnsafeRawBufferPointer], on disk: any Disk
    ) throws(CheckpointError) {
        var leftovers = Leftovers()
        try replace(path, contents: contents, on: disk, leftovers: &leftovers)
    }

    /// As ``replace(_:contents:)``.
    ///
    /// - Parameter leftovers: gets the temporary file if the file can't be removed.
    static func replace(
        _ path: String, contents: [UnsafeRawBufferPointer], on disk: any Disk, leftovers: inout Leftovers
    ) throws(CheckpointError) {
        let (directory, name) = split(path)
        guard !name.isEmpty, name != ".", name != ".." else {
            throw .content(path: path, offset: nil, expected: "the path of a file", found: "no file name at its end")
        }
        // The temporary name doesn't depend on the file's name, so that a long name stays within the system's limit.
        let temporary =
            directory + temporaryPrefix + String(UInt64.random(in: .min ... .max), radix: 16) + temporarySuffix
        do {
            let file = try disk.attempt(.create, temporary) { () throws(DiskError) in try disk.create(temporary) }
            try disk.finish(file, at: temporary, writing: contents)
            try verify(temporary, contents: contents, on: disk)
            try disk.attempt(.rename, path) { () throws(DiskError) in try disk.rename(temporary, to: path) }
        } catch {
            // The first failure is the failure to report, even if the removal fails, too.
            leftovers.remove(temporary, on: disk)
            throw error
        }
        try disk.settleNames(in: directory.isEmpty ? "." : directory)
    }

    /// Splits `path` before its last component: the directory, empty or with a slash at its end, and the name.
    private static func split(_ path: String) -> (directory: String, name: String) {
        let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        return (String(path[..<end]), String(path[end...]))
    }

    /// Reads a file back and compares the bytes with `contents`. A file that can't be read counts as a failed write.
    private static func verify(
        _ path: String, contents: [UnsafeRawBufferPointer], on disk: any Disk
    ) throws(CheckpointError) {
        do throws(CheckpointError) {
            try compare(DiskFile(path, expectation: "the file just written", disk: disk), with: contents)
        } catch {
            switch error {
            case .system(.open, let path, let code): throw .system(operation: .read, path: path, code: code)
            case .content(let path, let offset, _, _): throw .readBack(path: path, offset: offset ?? 0)
            default: throw error
            }
        }
    }

    private static func compare(
        _ file: DiskFile, with contents: [UnsafeRawBufferPointer]
    ) throws(CheckpointError) {
        let byteCount = contents.reduce(0) { $0 + $1.count }
        guard file.size == byteCount else { throw .readBack(path: file.path, offset: min(file.size, byteCount)) }
        var position = 0
        for piece in contents {
            var done = 0
            while done < piece.count {
                let bytes = try file.bytes(at: position + done, count: min(1 << 20, piece.count - done))
                let written = UnsafeRawBufferPointer(rebasing: piece[done..<done + bytes.count])
                let isSame = bytes.withUnsafeBytes { bytes in
                    memcmp(bytes.baseAddress.unsafelyUnwrapped, written.baseAddress.unsafelyUnwrapped, bytes.count) == 0
                }
                guard isSame else { throw .readBack(path: file.path, offset: position + done) }
                done += bytes.count
            }
            position += piece.count
        }
    }
}
