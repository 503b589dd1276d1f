#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The checkpoints of a run: each a file of its own that is never changed, numbered in the order of saving, and a small
/// file that names the newest.
///
/// A checkpoint counts when it is on the disk as it was meant to be. One that isn't is taken away again, and its number
/// is never reused. Older ones are removed when two newer ones are known to be whole. Used by one thread at a time;
/// ``DirectoryLock`` keeps other writers away.
final class Generations {
    /// The name of the file that names the newest.
    static let pointerName = "latest"
    /// Of a checkpoint; what is read and what is written keep to it, so that what was saved is found.
    static let largestNumber = Int.max - 1

    let directory: String
    let disk: any Disk
    /// The highest number that was ever seen; -1 before that.
    private var newest = -1
    /// The newest that are known to be whole, at most two.
    private var whole: [Int] = []
    /// The one that the pointer names, as far as is known.
    private var pointed: Int?
    private var leftovers = Leftovers()
    /// The companion of a whole checkpoint that could not get its name.
    private var openDraft: String?

    init(_ directory: String, on disk: any Disk = SystemDisk()) {
        self.directory = directory
        self.disk = disk
    }

    // MARK: Names

    /// Number 0 is the only checkpoint of a run that was saved before there were generations.
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

    /// The numbers of the checkpoints that there are, the newest first.
    private func numbers() throws(CheckpointError) -> [Int] {
        let names = try disk.attempt(.list, directory) { () throws(DiskError) in try disk.names(in: directory) }
        return names.compactMap(Self.number).sorted(by: >)
    }

    /// True if there is a checkpoint, whole or not.
    var exist: Bool { (try? numbers().isEmpty) == false }

    // MARK: Opening

    /// Opens the newest checkpoint that is whole.
    ///
    /// - Returns: it, and what is wrong with each newer one.
    /// - Throws: ``CheckpointError`` about the newest if there is none that is whole, or what keeps it from being read:
    ///   it may be whole then, and going on from an older one would end in its removal.
    func open() throws(CheckpointError) -> (file: SafetensorsFile, damage: [CheckpointError]) {
        var seen: [Int]?
        while true {
            // Read first: a run that is being trained meanwhile removes what this names only when there is a newer one.
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
                    // Removed meanwhile, because there are newer ones.
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

    /// The checkpoint that the pointer names, and the pointer's damage.
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

    /// True if the file is wrong or its medium, false if the system only can't get at it now: rights, too many open
    /// files, a network.
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

    /// Throws if another process has saved since this one looked.
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

    /// Makes what was found when the run was opened survive a power failure. A killed process may have left changes
    /// that only the cache knows, such as the removal of a checkpoint; nothing may be built on them before they are on
    /// the disk.
    ///
    /// - Returns: false if the directory's file system can't do that.
    func settle() throws(CheckpointError) -> Bool { try disk.settleNames(in: directory) }

    /// Throws if there is no room for the checkpoints of a run: two that are kept, and one that is being written.
    ///
    /// - Parameter others: how many bytes other files of the run take.
    func requireSpace(
        for tensors: [BorrowedTensor], metadata: [String: String], others: Int = 0
    ) throws(CheckpointError) {
        let present = try numbers().count
        try require(max(3 - present, 1) * Self.size(of: tensors, metadata) + others)
    }

    private func require(_ needed: Int) throws(CheckpointError) {
        // Without an answer, writing will show.
        guard let free = (try? disk.freeSpace(in: directory)) ?? nil, free < needed else { return }
        throw .space(path: directory, needed: needed, free: free)
    }

    /// About how many bytes a checkpoint takes, and in any case not less.
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

    /// Adds a checkpoint: ``DurableFile`` says how. Only then the companion gets its name, the pointer is moved, and
    /// older checkpoints are removed, also if the pointer can't be moved: the pointer only shows the way, and the new
    /// checkpoint is whole without it.
    ///
    /// - Throws: ``CheckpointError``. The two newest that are whole are there still then, and perhaps the new one too.
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
            // It may be there already: only that its name survives a power failure isn't certain.
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
        let name = path(companion.name)
        try disk.attempt(.rename, name) { () throws(DiskError) in
            try disk.rename(path(companion.draft), to: name)
        }
        openDraft = nil
        try disk.settleNames(in: directory)
    }

    /// Removes all but the two newest that are whole, and the one that the pointer names if it could not be moved on.
    /// A file that can't be removed is tried again after the next save.
    private func prune() {
        guard whole.count == 2, let numbers = try? numbers() else { return }
        for number in numbers where !whole.contains(number) && number != pointed {
            try? disk.remove(path(Self.name(number)))
        }
    }
}
