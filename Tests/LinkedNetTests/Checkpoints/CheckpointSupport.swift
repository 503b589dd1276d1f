import Foundation
import Synchronization
import Testing

@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

/// Writes tensors in the order given.
func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String,
    on disk: any Disk = SystemDisk()
) throws {
    try withBorrowed(tensors) { try Safetensors.write($0, metadata: metadata, to: path, on: disk) }
}

/// Calls `body` with tensors that are valid during the call.
func withBorrowed<Result>(
    _ tensors: [(name: String, tensor: Tensor)], _ body: ([BorrowedTensor]) throws -> Result
) rethrows -> Result {
    let copies = tensors.map { name, tensor in
        let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: tensor.elements.count)
        _ = copy.initialize(from: tensor.elements)
        return BorrowedTensor(name: name, shape: tensor.shape, elements: copy)
    }
    defer { for copy in copies { copy.elements.deallocate() } }
    return try body(copies)
}

/// The bytes of a safetensors file with this header and this number of data bytes.
func safetensors(header: String, dataBytes: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        + Array(repeating: 0, count: dataBytes)
}

/// The real disk, with operations that may fail or transfer fewer bytes than requested.
final class FaultyDisk: Disk {
    enum Fault {
        /// Operation number `index`, counted from 0, fails; later operations fail, too, if `forGood`.
        case failure(index: Int, code: Int32, forGood: Bool)
        /// Every other operation is interrupted, and reads and writes do at most 3 bytes.
        case stutter
        /// Bit 0 of the first byte that is read is flipped.
        case flippedBit
        /// Reading ends after this many bytes.
        case readEnds(after: Int)
    }

    private struct State {
        var operationCount = 0
        var openFiles: Set<Int32> = []
        var hasFailed = false
    }

    private let fault: Fault?
    private let state = Mutex(State())
    private let disk = SystemDisk()

    init(_ fault: Fault? = nil) {
        self.fault = fault
    }

    /// The number of operations that were tried.
    var operationCount: Int { state.withLock { $0.operationCount } }
    /// The number of open files.
    var openFileCount: Int { state.withLock { $0.openFiles.count } }
    /// True if a `.failure` has happened.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// Counts an operation, and throws if the operation has to fail.
    private func enter(interruptible: Bool = true) throws(DiskError) {
        let index = state.withLock { state in
            defer { state.operationCount += 1 }
            return state.operationCount
        }
        switch fault {
        case .failure(let first, let code, let forGood) where forGood ? index >= first : index == first:
            state.withLock { $0.hasFailed = true }
            throw DiskError(code: code)
        case .stutter where interruptible && index % 2 == 0:
            throw DiskError(code: EINTR)
        default: break
        }
    }

    private func allowed(_ count: Int) -> Int {
        if case .stutter = fault { min(count, 3) } else { count }
    }

    func create(_ path: String) throws(DiskError) -> Int32 {
        try enter()
        let file = try disk.create(path)
        state.withLock { _ = $0.openFiles.insert(file) }
        return file
    }

    func append(_ path: String) throws(DiskError) -> Int32 {
        try enter()
        let file = try disk.append(path)
        state.withLock { _ = $0.openFiles.insert(file) }
        return file
    }

    func names(in directory: String) throws(DiskError) -> [String] {
        try enter()
        return try disk.names(in: directory)
    }

    func freeSpace(in directory: String) throws(DiskError) -> Int? {
        try enter()
        return try disk.freeSpace(in: directory)
    }

    func open(_ path: String) throws(DiskError) -> Int32 {
        try enter()
        let file = try disk.open(path)
        state.withLock { _ = $0.openFiles.insert(file) }
        return file
    }

    func status(_ file: Int32) throws(DiskError) -> FileStatus {
        try enter()
        return try disk.status(file)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(DiskError) -> Int {
        try enter()
        return try disk.write(UnsafeRawBufferPointer(rebasing: bytes[..<allowed(bytes.count)]), to: file)
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int
    ) throws(DiskError) -> Int {
        try enter()
        var count = allowed(buffer.count)
        if case .readEnds(let end) = fault { count = max(0, min(count, end - offset)) }
        count = try disk.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), from: file, at: offset)
        if case .flippedBit = fault, count > 0, offset == 0 { buffer[0] ^= 1 }
        return count
    }

    func synchronize(_ file: Int32) throws(DiskError) {
        try enter()
        try disk.synchronize(file)
    }

    func close(_ file: Int32) throws(DiskError) {
        // The descriptor is gone even if closing reports a failure, as on a real disk.
        state.withLock { _ = $0.openFiles.remove(file) }
        try disk.close(file)
        try enter(interruptible: false)
    }

    func rename(_ source: String, to destination: String) throws(DiskError) {
        try enter()
        try disk.rename(source, to: destination)
    }

    func synchronizeDirectory(_ path: String) throws(DiskError) {
        try enter()
        try disk.synchronizeDirectory(path)
    }

    func makeDirectory(_ path: String) throws(DiskError) {
        try enter()
        try disk.makeDirectory(path)
    }

    func remove(_ path: String) throws(DiskError) {
        try enter()
        try disk.remove(path)
    }
}
