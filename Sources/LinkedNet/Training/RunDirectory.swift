import Foundation

/// The files of a ``Run``.
enum RunDirectory {
    static func metrics(_ directory: String) -> String { "\(directory)/metrics.jsonl" }

    /// Makes `directory`, or the first of `runs/base-1`, `runs/base-2`, … that isn't there, with what leads to it.
    static func create(_ directory: String?, base: String) throws -> String {
        if let directory {
            guard !directory.isEmpty else {
                throw SettingsError(option: "--output", expected: "a directory", found: "an empty name")
            }
            guard !Generations(directory).exist else {
                throw SettingsError(
                    option: "--output", expected: "a directory without a run (--resume \(directory) continues it)",
                    found: directory)
            }
            // Of a run whose checkpoint is lost: its lines would be dropped.
            guard !FileManager.default.fileExists(atPath: metrics(directory)) else {
                throw SettingsError(
                    option: "--output", expected: "a directory without a run's files", found: metrics(directory))
            }
            try makeDirectory(directory)
            return directory
        }
        try makeDirectory("runs")
        var number = 1
        while true {
            let candidate = "runs/\(base)-\(number)"
            // Making it decides, not looking: another run may be about to take the same name.
            if mkdir(candidate, 0o777) == 0 { return candidate }
            guard errno == EEXIST else {
                throw CheckpointError.system(operation: .create, path: candidate, code: errno)
            }
            number += 1
        }
    }

    /// Makes a directory, if it isn't there, and those that lead to it.
    private static func makeDirectory(_ path: String) throws(CheckpointError) {
        guard !RegularFile.isDirectory(path) else { return }
        // Not Foundation's deletingLastPathComponent, which crashes for names of one letter (Swift 6.3 on Linux).
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeDirectory(String(path[..<slash])) }
        // Another process may have made it meanwhile.
        guard mkdir(path, 0o777) != 0 else { return }
        let code = errno
        // Also for a path that ends with a slash.
        guard !RegularFile.isDirectory(path) else { return }
        throw .system(operation: .create, path: path, code: code == EEXIST ? ENOTDIR : code)
    }

    /// Removes what a process that was killed while it saved has left.
    static func removeTemporaries(_ directory: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasPrefix(DurableFile.temporaryPrefix) && name.hasSuffix(DurableFile.temporarySuffix) {
            // A file that can't be removed does no harm.
            try? FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
    }

    /// The metrics of the first `epochs` epochs; what else there is goes when they are next written.
    static func metrics(
        _ directory: String, epochs: Int, on disk: any Disk = SystemDisk()
    ) throws(CheckpointError) -> LineFile {
        let path = metrics(directory)
        let data: [UInt8]
        do throws(CheckpointError) {
            let file = try DiskFile(path, expectation: "a run's metrics", disk: disk)
            data = try file.bytes(at: 0, count: file.size)
        } catch {
            guard case .system(.open, _, ENOENT) = error else { throw error }
            return LineFile(path, isWritten: true, on: disk)
        }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).filter { line in
            guard let values = try? JSONDecoder().decode(EpochLine.self, from: Data(line)) else { return false }
            return values.epoch <= epochs
        }
        let isWhole = lines.reduce(0) { $0 + $1.count + 1 } == data.count
        return LineFile(path, lines: lines.map { String(decoding: $0, as: UTF8.self) }, isWritten: isWhole, on: disk)
    }

    /// What matters of a line of the metrics.
    private struct EpochLine: Decodable {
        let epoch: Int
    }
}
