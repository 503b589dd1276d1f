/// A text file that grows by lines, and that is a prefix of what it should be at any time, even after a power failure.
///
/// Used by one thread at a time.
final class LineFile {
    let path: String
    private let disk: any Disk
    private var lines: [String]
    /// How many of `lines` are in the file.
    private var writtenCount: Int
    /// True if the file holds these lines and nothing else.
    private var isSound: Bool
    private var leftovers = Leftovers()

    /// - Parameters:
    ///   - lines: what the file should begin with, each without its end.
    ///   - isWritten: true if the file holds exactly that.
    init(_ path: String, lines: [String] = [], isWritten: Bool = false, on disk: any Disk = SystemDisk()) {
        self.path = path
        self.disk = disk
        self.lines = lines
        writtenCount = isWritten ? lines.count : 0
        isSound = isWritten
    }

    /// Leaves the first `count` lines, and has the next ``flush()`` write them anew: somebody else may have changed the
    /// file.
    func keep(first count: Int) {
        lines.removeLast(max(lines.count - count, 0))
        (writtenCount, isSound) = (0, false)
    }

    /// Adds lines; ``flush()`` brings them to the disk.
    func add(_ lines: [String]) { self.lines += lines }

    /// Brings what was added to the disk.
    ///
    /// - Throws: ``CheckpointError``. The next call then writes the file anew: what a failed write or synchronisation
    ///   has left of it is not known.
    func flush() throws(CheckpointError) {
        guard writtenCount < lines.count || !isSound else { return }
        leftovers.removeAll(on: disk)
        let appends = isSound && writtenCount > 0
        let bytes = Array(lines[(appends ? writtenCount : 0)...].map { $0 + "\n" }.joined().utf8)
        isSound = false
        try bytes.withUnsafeBufferPointer { bytes throws(CheckpointError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            if appends {
                let file = try disk.attempt(.append, path) { () throws(DiskError) in try disk.append(path) }
                try disk.finish(file, at: path, writing: [bytes])
            } else {
                try DurableFile.replace(path, contents: [bytes], on: disk, leftovers: &leftovers)
            }
        }
        (isSound, writtenCount) = (true, lines.count)
    }
}
