#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Examines a path that a user gave for a run.
enum RunPlace {
    /// Throws if `directory` certainly holds no saved run. The error describes the file or directory that was found
    /// instead.
    static func requireRun(in directory: String) throws(CheckpointError) {
        let expected = "the directory of a run"
        try requireAnything(at: directory, expected)
        if !RegularFile.isDirectory(directory) {
            let (parent, name) = split(directory)
            let isCheckpoint = name.hasPrefix("checkpoint") && name.hasSuffix(".safetensors")
            let hint = isCheckpoint && Generations(parent).exist ? ": one of the checkpoints of the run \(parent)" : ""
            throw .content(path: directory, offset: nil, expected: expected, found: "a file" + hint)
        }
        // If the directory can't be listed, a caller that opens the checkpoint gets the reason.
        guard let names = try? SystemDisk().names(in: directory), !Generations(directory).exist else { return }
        let runs = names.filter { Generations("\(directory)/\($0)").exist }.sorted()
        let hint = runs.isEmpty ? "" : "; a run is in \(directory)/\(runs[0])"
        throw .content(
            path: directory, offset: nil, expected: expected, found: "a directory without a checkpoint" + hint)
    }

    /// Throws if there is nothing at `path`. The error names a run in the same directory with a similar name, if any.
    static func requireAnything(at path: String, _ expected: String) throws(CheckpointError) {
        var status = stat()
        guard stat(path, &status) != 0 else { return }
        let found = String(cString: strerror(errno)).lowercased()
        let (parent, name) = split(path)
        let runs = ((try? SystemDisk().names(in: parent)) ?? []).filter { Generations("\(parent)/\($0)").exist }
        let hint = name.nearest(in: runs).map { "; did you mean \(parent == "." ? $0 : "\(parent)/\($0)")?" } ?? ""
        throw .content(path: path, offset: nil, expected: expected, found: found + hint)
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        var whole = path[...]
        while whole.count > 1, whole.last == "/" { whole.removeLast() }
        guard let slash = whole.lastIndex(of: "/") else { return (".", String(whole)) }
        let parent = whole[..<slash]
        return (parent.isEmpty ? "/" : String(parent), String(whole[whole.index(after: slash)...]))
    }
}
