/// A text file that grows by lines. At any time, even after a power failure, the file is a prefix of the intended text.
///
/// One thread at a time uses the object.
final class LineFile {
    let path: String
    private let disk: any Disk
    private var lines: [String]
    /// The number of `lines` in the file.
    private var writtenCount: Int
    /// True if the file holds exactly the written lines.
    private var isSound: Bool
    private var leftovers = Leftovers()

    /// - Parameters:
    ///   - lines: the lines at the beginning of the file, each without the line end.
    ///   - isWritten: true if the file holds exactly these lines.
    init(_ path: String, lines: [String] = [], isWritten: Bool = false, on disk: any Disk = SystemDisk()) {
        self.path = path
        self.disk = disk
        self.lines = lines
        writtenCount = isWritten ? lines.count : 0
        isSound = isWritten
    }

    /// Keeps the first `count` lines. The next ``flush()`` writes the lines anew, because another process may have
    /// changed the file.
    func keep(first count: Int) {
        lines.removeLast(max(lines.count - count, 0))
        (writtenCount, isSound) = (0, false)
    }

    /// Adds lines, which ``flush()`` brings to the disk.
    func add(_ lines: [String]) { self.lines += lines }

    /// Brings the added lines to the disk.
    ///
    /// - Throws: ``CheckpointError``. The next call then writes the file anew: after a failed write or synchronisation,
    ///   the content of the file isn't known.
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
