#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Looks at a path that someone gave for a run.
enum RunPlace {
    /// Throws if it can be told that no run is saved in `directory`, and says what is there instead.
    static func requireRun(in directory: String) throws(CheckpointError) {
        let expected = "the directory of a run"
        try requireAnything(at: directory, expected)
        if !RegularFile.isDirectory(directory) {
            let (parent, name) = split(directory)
            let isCheckpoint = name.hasPrefix("checkpoint") && name.hasSuffix(".safetensors")
            let hint = isCheckpoint && Generations(parent).exist ? ": one of the checkpoints of the run \(parent)" : ""
            throw .content(path: directory, offset: nil, expected: expected, found: "a file" + hint)
        }
        // A directory that can't be listed says why when its checkpoint is opened.
        guard let names = try? SystemDisk().names(in: directory), !Generations(directory).exist else { return }
        let runs = names.filter { Generations("\(directory)/\($0)").exist }.sorted()
        let hint = runs.isEmpty ? "" : "; a run is in \(directory)/\(runs[0])"
        throw .content(
            path: directory, offset: nil, expected: expected, found: "a directory without a checkpoint" + hint)
    }

    /// Throws if there is nothing at `path`, and names a run nearby with nearly this name.
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
