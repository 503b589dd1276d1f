@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

/// A disk in memory that fails like a real disk. Only one thread may use the disk.
///
/// Written bytes are in a cache, which the running system sees. The cache reaches the disk piece by piece in any order.
/// Only synchronising is certain: of a file for its bytes, of a directory for its names. After a power failure, each
/// unsynchronised piece of 8 bytes and each unsynchronised change of a name is on the disk or not, independently. A
/// file's size is then any number between the old and the new size. A failed synchronisation leaves pieces in the cache
/// that no later synchronisation writes (as in Linux).
final class SimulatedDisk: Disk, @unchecked Sendable {
    /// The fault of an operation.
    enum Fault: Equatable, CaseIterable {
        case inputOutputError, noSpace, interruption
        /// Half of the bytes are written or read; other operations succeed.
        case shortTransfer
        case crashBefore, crashAfter
    }

    /// A fault of the operation with this number, counted from 0.
    struct Plan {
        var index = Int.max
        var fault = Fault.inputOutputError
        /// True if later operations fail, too.
        var forGood = false
        /// True if a failing operation has its effect all the same. An interrupted operation has its effect if
        /// possible.
        var hasEffect = false
        /// The number of failures in 1000 other operations.
        var failuresPerThousand = 0
    }

    private struct File {
        var cached: [UInt8] = []
        var stored: [UInt8] = []
        /// The pieces that are not on the disk yet.
        var dirty: Set<Int> = []
    }

    private enum NameChange {
        case set(String, Int)
        case remove(String)
        /// A move within a directory.
        case move(from: String, to: String, Int)

        var name: String {
            switch self {
            case .set(let name, _), .remove(let name), .move(_, let name, _): name
            }
        }
    }

    private static let pieceSize = 8
    /// The number of every directory in place of a file's number.
    private static let directory = 0
    private static let crash = DiskError(code: ECANCELED)

    var plan = Plan()
    private(set) var operationCount = 0
    /// True if the process that used the disk is dead.
    private(set) var hasCrashed = false
    /// True if the planned fault has happened.
    private(set) var hasFailed = false
    var freeBytes = Int.max
    /// Paths that no file can be renamed to.
    var fixedPaths: Set<String> = []
    /// The error of synchronising a directory, which then does nothing. A file system without this ability has an error
    /// of its own.
    var directoryCode: Int32?
    private var random: CounterRandom
    private var files: [Int: File] = [:]
    private var names: [String: Int] = [:]
    private var storedNames: [String: Int] = [:]
    private var nameChanges: [NameChange] = []
    private var openFiles: [Int32: Int] = [:]
    private var nextFile = 0
    private var nextDescriptor: Int32 = 100

    init(seed: UInt64 = 0) {
        random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2005))
    }

    var openFileCount: Int { openFiles.count }

    // MARK: The world outside

    /// The power fails and comes back.
    func cutPower() {
        for change in nameChanges where Bool.random(using: &random) { apply(change, to: &storedNames) }
        // The content of a directory goes with the directory's name.
        storedNames = storedNames.filter { name, _ in
            sequence(first: Self.parent(name), next: Self.parent).prefix { !$0.isEmpty }
                .allSatisfy { storedNames[$0] == Self.directory }
        }
        for (number, file) in files {
            var stored = file.stored
            if file.cached.count != stored.count, !file.dirty.isEmpty {
                let sizes = min(stored.count, file.cached.count)...max(stored.count, file.cached.count)
                resize(&stored, Int.random(in: sizes, using: &random))
            }
            for piece in file.dirty where Bool.random(using: &random) { copy(piece, of: file.cached, to: &stored) }
            files[number] = File(cached: stored, stored: stored)
        }
        names = storedNames
        nameChanges = []
        restart()
    }

    /// The process that used the disk is gone, and another process begins to use the disk.
    func restart() {
        openFiles = [:]
        (plan, hasCrashed, hasFailed, operationCount) = (Plan(), false, false, 0)
        let used = Set(names.values).union(storedNames.values)
        let pending = nameChanges.compactMap { if case .set(_, let file) = $0 { file } else { nil } }
        files = files.filter { used.contains($0.key) || pending.contains($0.key) }
    }

    /// The content of the file `path` in the cache.
    func contents(_ path: String) -> [UInt8]? { names[Self.name(path)].flatMap { files[$0]?.cached } }

    /// Changes a byte of a file, in the cache and on the disk.
    func damage(_ path: String, at offset: Int) {
        guard let number = names[path], var file = files[number] else { return }
        file.cached[offset] ^= 1
        files[number] = File(cached: file.cached, stored: file.cached)
    }

    /// A path in its shortest form; empty for the directory that always exists.
    private static func name(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    private static func parent(_ name: String) -> String {
        name.split(separator: "/").dropLast().joined(separator: "/")
    }

    private func isDirectory(_ name: String) -> Bool { name.isEmpty || names[name] == Self.directory }

    private func apply(_ change: NameChange, to names: inout [String: Int]) {
        switch change {
        case .set(let name, let file): names[name] = file
        case .remove(let name): names[name] = nil
        case .move(let source, let destination, let file): (names[source], names[destination]) = (nil, file)
        }
    }

    private func resize(_ bytes: inout [UInt8], _ count: Int) {
        if count < bytes.count { bytes.removeLast(bytes.count - count) }
        if count > bytes.count { bytes += Array(repeating: 0, count: count - bytes.count) }
    }

    /// Copies the part of a piece that lies within both arrays.
    private func copy(_ piece: Int, of source: [UInt8], to target: inout [UInt8]) {
        let start = piece * Self.pieceSize
        let end = min(start + Self.pieceSize, source.count, target.count)
        if start < end { target.replaceSubrange(start..<end, with: source[start..<end]) }
    }

    // MARK: Faults

    /// The fault of the next operation, if any.
    private func enter() throws(DiskError) -> Fault? {
        guard !hasCrashed else { throw Self.crash }
        defer { operationCount += 1 }
        if plan.forGood ? operationCount >= plan.index : operationCount == plan.index {
            hasFailed = true
            if plan.fault == .crashBefore {
                hasCrashed = true
                throw Self.crash
            }
            return plan.fault
        }
        return Int.random(in: 0..<1000, using: &random) < plan.failuresPerThousand ? .inputOutputError : nil
    }

    /// Does an operation with its fault.
    private func perform<Result>(
        isPartlyDoneWhenInterrupted: Bool = false, _ body: (_ isShort: Bool) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        let fault = try enter()
        let code: Int32? =
            switch fault {
            case .inputOutputError: EIO
            case .noSpace: ENOSPC
            case .interruption: EINTR
            default: nil
            }
        if let code {
            if plan.hasEffect, fault != .interruption || isPartlyDoneWhenInterrupted { _ = try body(false) }
            throw DiskError(code: code)
        }
        guard fault == .crashAfter else { return try body(fault == .shortTransfer) }
        hasCrashed = true
        _ = try body(false)
        throw Self.crash
    }

    private func find(_ path: String) throws(DiskError) -> Int {
        guard let file = names[Self.name(path)] else { throw DiskError(code: ENOENT) }
        return file
    }

    /// The name of a new file or directory.
    private func newName(_ path: String) throws(DiskError) -> String {
        let name = Self.name(path)
        guard !isDirectory(name), names[name] == nil else { throw DiskError(code: EEXIST) }
        let parent = Self.parent(name)
        guard isDirectory(parent) else { throw DiskError(code: names[parent] == nil ? ENOENT : ENOTDIR) }
        return name
    }

    private func describe(_ file: Int) -> Int32 {
        nextDescriptor += 1
        openFiles[nextDescriptor] = file
        return nextDescriptor
    }

    private func number(_ descriptor: Int32) throws(DiskError) -> Int {
        guard let file = openFiles[descriptor] else { throw DiskError(code: EBADF) }
        return file
    }

    private func change(_ change: NameChange) {
        apply(change, to: &names)
        nameChanges.append(change)
    }

    // MARK: Disk

    func create(_ path: String) throws(DiskError) -> Int32 {
        try perform { _ throws(DiskError) in
            let name = try newName(path)
            nextFile += 1
            files[nextFile] = File()
            change(.set(name, nextFile))
            return describe(nextFile)
        }
    }

    func append(_ path: String) throws(DiskError) -> Int32 {
        try perform { _ throws(DiskError) in describe(try find(path)) }
    }

    func open(_ path: String) throws(DiskError) -> Int32 {
        try perform { _ throws(DiskError) in describe(try find(path)) }
    }

    func status(_ file: Int32) throws(DiskError) -> FileStatus {
        try perform { _ throws(DiskError) in
            FileStatus(irregularity: nil, size: files[try number(file)]?.cached.count ?? 0)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(DiskError) -> Int {
        try perform { isShort throws(DiskError) in
            let number = try number(file)
            let count = isShort ? (bytes.count + 1) / 2 : bytes.count
            let start = files[number]?.cached.count ?? 0
            files[number]?.cached += bytes[..<count]
            for piece in start / Self.pieceSize...(start + count) / Self.pieceSize {
                files[number]?.dirty.insert(piece)
            }
            return count
        }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int
    ) throws(DiskError) -> Int {
        try perform { isShort throws(DiskError) in
            let bytes = files[try number(file)]?.cached.dropFirst(offset) ?? []
            let count = min(bytes.count, isShort ? (buffer.count + 1) / 2 : buffer.count)
            buffer.copyBytes(from: bytes.prefix(count))
            return count
        }
    }

    func synchronize(_ file: Int32) throws(DiskError) {
        let number = try number(file)
        do {
            try perform(isPartlyDoneWhenInterrupted: true) { _ throws(DiskError) in
                guard var synchronized = files[number] else { return }
                resize(&synchronized.stored, synchronized.cached.count)
                for piece in synchronized.dirty { copy(piece, of: synchronized.cached, to: &synchronized.stored) }
                synchronized.dirty = []
                files[number] = synchronized
            }
        } catch {
            // From now on, unwritten pieces count as written.
            if !hasCrashed, error.code != EINTR { files[number]?.dirty = [] }
            throw error
        }
    }

    func close(_ file: Int32) throws(DiskError) {
        openFiles[file] = nil
        try perform { _ throws(DiskError) in }
    }

    func rename(_ source: String, to destination: String) throws(DiskError) {
        try perform { _ throws(DiskError) in
            if fixedPaths.contains(destination) { throw DiskError(code: EACCES) }
            change(.move(from: Self.name(source), to: Self.name(destination), try find(source)))
        }
    }

    func synchronizeDirectory(_ path: String) throws(DiskError) {
        try perform(isPartlyDoneWhenInterrupted: true) { _ throws(DiskError) in
            let directory = Self.name(path)
            guard isDirectory(directory) else { throw DiskError(code: names[directory] == nil ? ENOENT : ENOTDIR) }
            if let directoryCode { throw DiskError(code: directoryCode) }
            for change in nameChanges where Self.parent(change.name) == directory { apply(change, to: &storedNames) }
            nameChanges.removeAll { Self.parent($0.name) == directory }
        }
    }

    func makeDirectory(_ path: String) throws(DiskError) {
        try perform { _ throws(DiskError) in change(.set(try newName(path), Self.directory)) }
    }

    func remove(_ path: String) throws(DiskError) {
        try perform { _ throws(DiskError) in
            _ = try find(path)
            change(.remove(Self.name(path)))
        }
    }

    func names(in directory: String) throws(DiskError) -> [String] {
        try perform { _ throws(DiskError) in
            let directory = Self.name(directory)
            guard isDirectory(directory) else { throw DiskError(code: ENOENT) }
            return names.keys.filter { Self.parent($0) == directory }.compactMap {
                $0.split(separator: "/").last.map(String.init)
            }
        }
    }

    func freeSpace(in directory: String) throws(DiskError) -> Int? {
        try perform { _ throws(DiskError) in freeBytes }
    }
}
