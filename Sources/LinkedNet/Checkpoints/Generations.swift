#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The checkpoints of a run. Each checkpoint is a file of its own that never changes, numbered in the order of saving.
/// A small file names the newest checkpoint.
///
/// A checkpoint counts when all intended bytes are on the disk. A failed checkpoint is removed, and the object never
/// uses the number again. An older checkpoint is removed when two newer checkpoints are known to be whole. One thread
/// at a time uses the object; ``DirectoryLock`` keeps other writers away.
final class Generations {
    /// The name of the file that names the newest checkpoint.
    static let pointerName = "latest"
    /// The largest number of a checkpoint. Reading and writing keep to this limit, so that a saved checkpoint is found.
    static let largestNumber = Int.max - 1

    let directory: String
    let disk: any Disk
    /// The highest number so far; -1 before the first number.
    private var newest = -1
    /// The numbers of the newest checkpoints that are known to be whole, at most two.
    private var whole: [Int] = []
    /// The number of the checkpoint that the pointer names, as far as known.
    private var pointed: Int?
    private var leftovers = Leftovers()
    /// The companion of a whole checkpoint that could not get its name.
    private var openDraft: String?

    init(_ directory: String, on disk: any Disk = SystemDisk()) {
        self.directory = directory
        self.disk = disk
    }

    // MARK: Names

    /// The file name of a checkpoint. Number 0 is the only checkpoint of a run that was saved before checkpoints had
    /// numbers.
    static func name(_ number: Int) -> String {
        if number == 0 { return "checkpoint.safetensors" }
        let digits = String(number)
        return "checkpoint-" + String(repeating: "0", count: max(9 - digits.count, 0)) + digits + ".safetensors"
    }

    static func number(_ name: String) -> Int? {
        let digits = name.dropFirst("checkpoint-".count).prefix { $0.isASCII && $0.isNumber }
        let number = digits.isEmpty ? 0 : Int(digits)
        return number.flatMap { $0 <= largestNumber && Self.name($0) == name ? $0 : nil }
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// The numbers of the existing checkpoints, the newest first.
    private func numbers() throws(CheckpointError) -> [Int] {
        let names = try disk.attempt(.list, directory) { () throws(DiskError) in try disk.names(in: directory) }
        return names.compactMap(Self.number).sorted(by: >)
    }

    /// True if there is a checkpoint, whole or not.
    var exist: Bool { (try? numbers().isEmpty) == false }

    // MARK: Opening

    /// Opens the newest checkpoint that is whole.
    ///
    /// - Returns: the checkpoint, and the damage of the pointer and of each newer checkpoint.
    /// - Throws: ``CheckpointError`` about the newest damage if no checkpoint is whole. An error that only keeps a
    ///   checkpoint from being read is thrown, too: the checkpoint may be whole, and a training from an older
    ///   checkpoint would end in the removal of the newer checkpoint.
    func open() throws(CheckpointError) -> (file: SafetensorsFile, damage: [CheckpointError]) {
        var seen: [Int]?
        while true {
            // The pointer is read before the names. A training at the same time removes the pointer's checkpoint only
            // when there is a newer checkpoint.
            let (pointed, pointerDamage) = try readPointer()
            let numbers = try missingAsEmpty { () throws(CheckpointError) in try self.numbers() }
            var damage = pointerDamage
            if let pointed, pointed > numbers.first ?? -1 {
                damage.append(.system(operation: .open, path: path(Self.name(pointed)), code: ENOENT))
            }
            for number in numbers {
                do throws(CheckpointError) {
                    let file = try SafetensorsFile(path(Self.name(number)), on: disk)
                    try file.verifyChecksum(isRequired: number > 0)
                    newest = max(numbers[0], pointed ?? 0)
                    self.pointed = pointed
                    whole = [number]
                    return (file, damage)
                } catch {
                    // A training at the same time removed the file, because there are newer checkpoints.
                    if case .system(.open, _, ENOENT) = error { continue }
                    guard Self.isDamage(error) else { throw error }
                    damage.append(error)
                }
            }
            guard numbers != seen else {
                throw damage.first ?? .system(operation: .open, path: path(Self.pointerName), code: ENOENT)
            }
            seen = numbers
        }
    }

    /// The number of the checkpoint that the pointer names, and the pointer's damage.
    private func readPointer() throws(CheckpointError) -> (number: Int?, damage: [CheckpointError]) {
        let path = path(Self.pointerName)
        do throws(CheckpointError) {
            let expectation = "the name of a checkpoint"
            let file = try DiskFile(path, expectation: expectation, disk: disk)
            let text = String(decoding: try file.bytes(at: 0, count: min(file.size, 64)), as: UTF8.self)
            guard text.last == "\n", let number = Self.number(String(text.dropLast())) else {
                throw .content(path: path, offset: 0, expected: expectation, found: "\(file.size) other bytes")
            }
            return (number, [])
        } catch {
            if case .system(.open, _, ENOENT) = error { return (nil, []) }
            guard Self.isDamage(error) else { throw error }
            return (nil, [error])
        }
    }

    /// True if the file or the medium is damaged. False if the system only can't reach the file now: because of rights,
    /// too many open files, a network.
    private static func isDamage(_ error: CheckpointError) -> Bool {
        switch error {
        case .content, .system(.read, _, EIO): true
        default: false
        }
    }

    private func missingAsEmpty(_ list: () throws(CheckpointError) -> [Int]) throws(CheckpointError) -> [Int] {
        do throws(CheckpointError) {
            return try list()
        } catch {
            guard case .system(_, _, ENOENT) = error else { throw error }
            return []
        }
    }

    // MARK: Saving

    /// Throws if another process has saved since this object last saw or saved a checkpoint.
    func requireUnchanged() throws(CheckpointError) {
        let found = try numbers().first ?? -1
        guard found <= newest else {
            throw .content(
                path: directory, offset: nil,
                expected: newest < 0
                    ? "no checkpoint in the new run's directory"
                    : "\(Self.name(newest)), with which this run was opened, to be the newest",
                found: Self.name(found))
        }
    }

    /// Makes the names that the opening of the run found survive a power failure. A killed process may have left
    /// changes that only the cache knows, such as the removal of a checkpoint. The changes must be on the disk before a
    /// save relies on the changes.
    ///
    /// - Returns: false if the directory's file system can't synchronise directories.
    func settle() throws(CheckpointError) -> Bool { try disk.settleNames(in: directory) }

    /// Throws if there is no room for the checkpoints of a run: two checkpoints that are kept, and a third checkpoint
    /// that is being written.
    ///
    /// - Parameter others: the number of bytes that other files of the run need.
    func requireSpace(
        for tensors: [BorrowedTensor], metadata: [String: String], others: Int = 0
    ) throws(CheckpointError) {
        let present = try numbers().count
        try require(max(3 - present, 1) * Self.size(of: tensors, metadata) + others)
    }

    private func require(_ needed: Int) throws(CheckpointError) {
        // If the system gives no answer, the write itself will show a full disk.
        guard let free = (try? disk.freeSpace(in: directory)) ?? nil, free < needed else { return }
        throw .space(path: directory, needed: needed, free: free)
    }

    /// An estimate of a checkpoint's size in bytes, never below the real size.
    private static func size(of tensors: [BorrowedTensor], _ metadata: [String: String]) -> Int {
        let margin = 1 << 16
        return tensors.reduce(0) { $0 + 4 * $1.elements.count + 2 * $1.name.utf8.count + 200 }
            + metadata.reduce(margin) { $0 + 2 * $1.value.utf8.count }
    }

    /// A file that belongs to a checkpoint: the file and the checkpoint must agree wherever a process is killed.
    struct Companion {
        /// The file's name until the checkpoint is on the disk. The checkpoint's content tells this name.
        let draft: String
        /// The file's name afterwards.
        let name: String
        /// Writes the file.
        let write: (_ path: String, any Disk, inout Leftovers) throws(CheckpointError) -> Void
    }

    /// Adds a checkpoint as ``DurableFile`` does. Only then the companion gets its name, the pointer is rewritten, and
    /// older checkpoints are removed. The older checkpoints are removed even if the pointer can't be rewritten: the
    /// pointer only shows the way, and the new checkpoint is whole without the pointer.
    ///
    /// - Throws: ``CheckpointError``. The two newest whole checkpoints still exist then, and perhaps the new
    ///   checkpoint, too.
    func save(
        _ tensors: [BorrowedTensor], metadata: [String: String], companion: Companion? = nil
    ) throws(CheckpointError) {
        leftovers.removeAll(on: disk)
        try require(Self.size(of: tensors, metadata))
        guard newest < Self.largestNumber else {
            throw .content(
                path: directory, offset: nil, expected: "checkpoints with numbers below \(Self.largestNumber)",
                found: Self.name(newest))
        }
        newest = max(newest, 0) + 1
        let name = Self.name(newest)
        do throws(CheckpointError) {
            if let companion { try companion.write(path(companion.draft), disk, &leftovers) }
            try Safetensors.writeChecked(tensors, metadata: metadata, to: path(name), on: disk, leftovers: &leftovers)
        } catch {
            // The file may be in place already, under a name that may not survive a power failure.
            leftovers.remove(path(name), on: disk)
            // An earlier checkpoint may count on the same file.
            if let companion, companion.draft != openDraft { leftovers.remove(path(companion.draft), on: disk) }
            throw error
        }
        whole = [newest] + whole.prefix(1)
        defer { prune() }
        if let companion { try settle(companion) }
        let pointer = Array("\(name)\n".utf8)
        try pointer.withUnsafeBufferPointer { bytes throws(CheckpointError) in
            try DurableFile.replace(
                path(Self.pointerName), contents: [UnsafeRawBufferPointer(bytes)], on: disk, leftovers: &leftovers)
        }
        pointed = newest
    }

    /// Gives a companion its name, now that its checkpoint is on the disk.
    private func settle(_ companion: Companion) throws(CheckpointError) {
        if let openDraft, openDraft != companion.draft { leftovers.remove(path(openDraft), on: disk) }
        openDraft = companion.draft
        try disk.settle(companion.draft, as: companion.name, in: directory)
        openDraft = nil
    }

    /// Removes all checkpoints except the two newest whole checkpoints, and except the pointer's checkpoint if the
    /// pointer could not be rewritten. The next save tries again to remove a file that can't be removed.
    private func prune() {
        guard whole.count == 2, let numbers = try? numbers() else { return }
        for number in numbers where !whole.contains(number) && number != pointed {
            try? disk.remove(path(Self.name(number)))
        }
    }
}
