#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A checkpoint that can't be read or written.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// What is in the file, or was to be put there, isn't what it should be.
    ///
    /// - Parameter offset: where in the file, in bytes from its start; `nil` if it concerns the whole.
    case content(path: String, offset: Int?, expected: String, found: String)

    /// The system refused an operation on a file.
    ///
    /// - Parameter code: the system's error number (`errno`).
    case system(operation: FileOperation, path: String, code: Int32)

    /// The file concerned.
    public var path: String {
        switch self {
        case .content(let path, _, _, _), .system(_, let path, _): path
        }
    }

    public var description: String {
        switch self {
        case .content(let path, let offset, let expected, let found):
            "\(path.printable())\(offset.map { " at byte \($0)" } ?? ""): expected \(expected.printable()), found \(found.printable())"
        case .system(let operation, let path, let code):
            "\(path): could not \(operation.rawValue): \(String(cString: strerror(code)).lowercased())"
        }
    }
}

/// What was being done to a file when it failed.
public enum FileOperation: String, Sendable {
    /// The operation, by its usual name.
    case create, open, read, write, synchronize, close, rename, remove
    /// Making a rename survive a power failure.
    case synchronizeDirectory = "synchronize the directory"
}
