#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The directory of a ``Run``.
enum RunDirectory {
    /// Makes the directory of a new run, if the directory is missing.
    static func begin(_ directory: String, on disk: any Disk = SystemDisk()) throws(CheckpointError) {
        guard !directory.isEmpty else {
            throw .content(path: directory, offset: nil, expected: "a directory for a run", found: "an empty name")
        }
        // Metrics without a checkpoint belong to a run that has lost the checkpoint. A new run would drop the lines.
        guard (try? disk.names(in: directory))?.contains(RunMetrics.name) != true else {
            throw .content(
                path: directory, offset: nil, expected: "a directory without a run's files",
                found: "\(directory)/\(RunMetrics.name)")
        }
        try make(directory, on: disk)
    }

    /// Makes the first missing directory of `base-1`, `base-2`, …, with all missing parents.
    static func create(base: String, on disk: any Disk = SystemDisk()) throws(CheckpointError) -> String {
        let parent = parent(of: base)
        try make(parent, on: disk)
        var number = 1
        // The attempt to make the directory decides, not a look at the names: another run may be about to take the same
        // name.
        while let code = failure(toMake: "\(base)-\(number)", on: disk) {
            guard code == EEXIST else {
                throw .system(operation: .create, path: "\(base)-\(number)", code: code)
            }
            number += 1
        }
        try disk.settleNames(in: parent)
        return "\(base)-\(number)"
    }

    /// Makes a directory and all parents, if missing. The names of the directories survive a power failure.
    static func make(_ path: String, on disk: any Disk) throws(CheckpointError) {
        let parent = parent(of: path)
        var code = failure(toMake: path, on: disk)
        if code == ENOENT || code == ENOTDIR, parent != path {
            try make(parent, on: disk)
            code = failure(toMake: path, on: disk)
        }
        switch code {
        case nil: try disk.settleNames(in: parent)
        case EEXIST:
            // `settleNames` fails for anything but a directory.
            do throws(CheckpointError) {
                try disk.settleNames(in: path)
            } catch {
                guard case .system(_, _, let code) = error else { throw error }
                throw .system(operation: .create, path: path, code: code == ENOENT ? ENOTDIR : code)
            }
        case let code?: throw .system(operation: .create, path: path, code: code)
        }
        // An existing directory may come from a process that was killed before synchronising the name.
        let found = code == nil ? parent : path
        do throws(CheckpointError) {
            try disk.settleNames(in: Self.parent(of: found))
        } catch {
            // Some directories can be passed through but not read, like the homes of other users.
            guard case .system(_, _, EACCES) = error else { throw error }
        }
    }

    /// Makes a directory; returns the system's error number, or `nil` after success.
    private static func failure(toMake path: String, on disk: any Disk) -> Int32? {
        do throws(DiskError) {
            try disk.makeDirectory(path)
            return nil
        } catch {
            return error.code
        }
    }

    // This replaces Foundation's deletingLastPathComponent, which crashes for names of one letter (Swift 6.3 on Linux).
    private static func parent(of path: String) -> String {
        var parent = path[...]
        for isSlash in [true, false, true] {
            while let last = parent.last, (last == "/") == isSlash { parent.removeLast() }
        }
        return parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : String(parent)
    }

    /// Removes the temporary files of a process that was killed during a save.
    static func removeTemporaries(_ directory: String, on disk: any Disk = SystemDisk()) throws(CheckpointError) {
        let names = try disk.attempt(.list, directory) { () throws(DiskError) in try disk.names(in: directory) }
        for name in names
        where name.hasPrefix(DurableFile.temporaryPrefix) && name.hasSuffix(DurableFile.temporarySuffix) {
            // A file that can't be removed does no harm.
            try? disk.remove("\(directory)/\(name)")
        }
    }
}
