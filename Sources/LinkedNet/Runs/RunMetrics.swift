import Foundation

/// The metrics in a run's directory, as far as its checkpoint goes: a line for each of its epochs.
///
/// A process that was killed before its checkpoint was written may have left more lines. These lines are dropped.
struct RunMetrics {
    /// The damage: lines that aren't there, or others among them.
    let damage: CheckpointError?
    private let directory: String
    private let disk: any Disk
    /// The lines that are right, in order.
    private let lines: [String]
    /// True if these are all that the file holds.
    private let isWhole: Bool
    /// The content of a damaged file with more than these.
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

    /// The damage of the metrics, also if they can't be read.
    static func damage(_ directory: String, epochs: Int) -> CheckpointError? {
        do throws(CheckpointError) {
            return try RunMetrics(directory, epochs: epochs).damage
        } catch {
            return error
        }
    }

    /// The file, to be gone on with. If it holds lines that don't belong there it is first copied, for they will be
    /// gone.
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
