#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A checkpoint that can't be read or written.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// The content of a file, or the content for a file, is wrong.
    ///
    /// - Parameter offset: the place in the file, in bytes from the start; `nil` if the error concerns the whole file.
    case content(path: String, offset: Int?, expected: String, found: String)

    /// The system refused an operation on a file.
    ///
    /// - Parameter code: the system's error number (`errno`).
    case system(operation: FileOperation, path: String, code: Int32)

    /// The directory's disk has too little room for the files that will be written.
    ///
    /// - Parameters:
    ///   - path: the directory.
    ///   - needed: the number of bytes that the files need.
    ///   - free: the number of bytes that are free.
    case space(path: String, needed: Int, free: Int)

    /// The bytes that were just written differ when they are read back.
    ///
    /// - Parameter offset: the first byte that differs, counted from the file's start.
    case readBack(path: String, offset: Int)

    /// The file or directory concerned.
    public var path: String {
        switch self {
        case .content(let path, _, _, _), .system(_, let path, _), .space(let path, _, _), .readBack(let path, _): path
        }
    }

    /// True if both errors are the same trouble, even if the files differ.
    func isSameTrouble(as other: CheckpointError?) -> Bool {
        switch (self, other) {
        case (.system(let operation, _, let code), .system(let otherOperation, _, let otherCode)):
            operation == otherOperation && code == otherCode
        case (.content, .content), (.space, .space), (.readBack, .readBack): true
        default: false
        }
    }

    /// `12.3 MB`.
    private static func megabytes(_ bytes: Int) -> String {
        let tenths = (bytes + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) MB"
    }

    public var description: String {
        switch self {
        case .content(let path, let offset, let expected, let found):
            "\(path.printable())\(offset.map { " at byte \($0)" } ?? ""): "
                + "expected \(expected.printable()), found \(found.printable())"
        case .system(let operation, let path, let code):
            "\(path.printable()): could not \(operation.rawValue): \(String(cString: strerror(code)).lowercased())"
        case .space(let path, let needed, let free):
            "\(path.printable()): expected \(Self.megabytes(needed)) of free space for checkpoints, "
                + "found \(Self.megabytes(free))"
        case .readBack(let path, let offset):
            "\(path.printable()) at byte \(offset): expected the bytes written, found others when read back"
        }
    }
}

/// An operation on a file that failed.
public enum FileOperation: String, Sendable {
    /// The operation, by its usual name.
    case create, open, append, read, write, synchronize, close, rename, remove, lock, list
    /// Making a rename survive a power failure.
    case synchronizeDirectory = "synchronize the directory"
}
