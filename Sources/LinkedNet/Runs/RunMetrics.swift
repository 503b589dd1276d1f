import Foundation

/// The metrics in a run's directory, up to the checkpoint: a line for each epoch before the checkpoint.
///
/// A process that was killed before writing the checkpoint may have left more lines. These lines are dropped.
struct RunMetrics {
    /// The damage: missing lines, or other lines in between.
    let damage: CheckpointError?
    private let directory: String
    private let disk: any Disk
    /// The correct lines, in order.
    private let lines: [String]
    /// True if the file holds exactly these lines.
    private let isWhole: Bool
    /// The content of a damaged file that holds more than the correct lines.
    private let damagedContent: [UInt8]?

    static let name = "metrics.jsonl"

    /// The part of a line that matters here.
    private struct EpochLine: Decodable {
        let epoch: Int
    }

    /// Reads the metrics of the first `epochs` epochs.
    ///
    /// - Throws: ``CheckpointError`` if the file can't be read.
    init(_ directory: String, epochs: Int, on disk: any Disk = SystemDisk()) throws(CheckpointError) {
        let path = "\(directory)/\(Self.name)"
        let content = try Self.content(path, disk)
        var (lines, last, firstDamage) = ([String](), 0, Int?.none)
        var (position, isWhole) = (0, true)
        while last < epochs, let end = content?[position...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Data(content?[position..<end] ?? [])
            let epoch = (try? JSONDecoder().decode(EpochLine.self, from: line))?.epoch ?? 0
            if epoch != last + 1, firstDamage == nil { firstDamage = position }
            if epoch > last, epoch <= epochs {
                lines.append(String(decoding: line, as: UTF8.self))
                last = epoch
            } else {
                isWhole = false
            }
            position = end + 1
        }
        if last < epochs, firstDamage == nil { firstDamage = position }
        isWhole = isWhole && position == content?.count ?? 0
        let hasOthers = firstDamage != nil && !isWhole
        (self.directory, self.disk, self.lines, self.isWhole) = (directory, disk, lines, isWhole)
        damagedContent = hasOthers ? content : nil
        damage = firstDamage.map { offset in
            .content(
                path: path, offset: content == nil ? nil : offset,
                expected: "a line for each of the epochs 1 to \(epochs)",
                found: content == nil ? "no file" : "\(lines.count) of them\(hasOthers ? " and others" : "")")
        }
    }

    /// The damage of the metrics. A file that can't be read is damage, too.
    static func damage(_ directory: String, epochs: Int) -> CheckpointError? {
        do throws(CheckpointError) {
            return try RunMetrics(directory, epochs: epochs).damage
        } catch {
            return error
        }
    }

    /// The file, ready for more lines. A file with lines that don't belong there is copied first, because the next
    /// write drops these lines.
    func file() throws(CheckpointError) -> LineFile {
        if let damagedContent {
            let names = try disk.attempt(.list, directory) { () throws(DiskError) in try disk.names(in: directory) }
            var (name, number) = ("metrics-damaged.jsonl", 1)
            while names.contains(name) {
                number += 1
                name = "metrics-damaged-\(number).jsonl"
            }
            try damagedContent.withUnsafeBufferPointer { bytes throws(CheckpointError) in
                try DurableFile.replace("\(directory)/\(name)", contents: [UnsafeRawBufferPointer(bytes)], on: disk)
            }
        }
        return LineFile("\(directory)/\(Self.name)", lines: lines, isWritten: isWhole, on: disk)
    }

    /// The file's content; `nil` if there is no file.
    private static func content(_ path: String, _ disk: any Disk) throws(CheckpointError) -> [UInt8]? {
        do throws(CheckpointError) {
            let file = try DiskFile(path, expectation: "a run's metrics", disk: disk)
            return try file.bytes(at: 0, count: file.size)
        } catch {
            guard case .system(.open, _, ENOENT) = error else { throw error }
            return nil
        }
    }
}
