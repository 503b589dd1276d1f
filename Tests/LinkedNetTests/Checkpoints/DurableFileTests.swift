import Foundation
import Testing

@testable import LinkedNet

#if canImport(Glibc)
import Glibc
#endif

@Suite struct DurableFileTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let old = Array("the old version".utf8)
    private let new = Array("the new version, which is longer".utf8)

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/file"
        try directory.write("file", old)
    }

    private func replace(on disk: any Disk) throws(CheckpointError) {
        try new.withUnsafeBufferPointer { bytes throws(CheckpointError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            let pieces = [bytes[..<5], bytes[5..<5], bytes[5...]].map { UnsafeRawBufferPointer(rebasing: $0) }
            try DurableFile.replace(path, contents: pieces, on: disk)
        }
    }

    private func contents() throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test func replaces() throws {
        let disk = FaultyDisk()
        try replace(on: disk)
        #expect(try contents() == new)
        #expect(try names() == ["file"])
        #expect(disk.openFileCount == 0)
    }

    @Test func createsAnEmptyFile() throws {
        let path = directory.path + "/empty"
        try DurableFile.replace(path, contents: [])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
        #expect(try names() == ["empty", "file"])
    }

    @Test func replacesAFileOfTheLongestName() throws {
        let path = directory.path + "/" + String(repeating: "n", count: 255)
        try DurableFile.replace(path, contents: [])
        #expect(try names().contains(String(repeating: "n", count: 255)))
    }

    /// Fails every operation in turn, up to the first index without an operation.
    @Test(arguments: [false, true], [ENOSPC, EIO])
    func everyFailureLeavesTheOldOrTheNewVersion(forGood: Bool, code: Int32) throws {
        var index = 0
        while true {
            try directory.write("file", old)
            let disk = FaultyDisk(.failure(index: index, code: code, forGood: forGood))
            var failure: CheckpointError?
            do throws(CheckpointError) {
                try replace(on: disk)
            } catch {
                failure = error
            }
            #expect(disk.openFileCount == 0)
            // A failure to reopen the new file is no error of reading.
            if case .system(.open, _, _) = failure { Issue.record("\(String(describing: failure))") }
            guard disk.hasFailed else { break }
            // A failure to close a file that was only read is harmless.
            if failure == nil {
                #expect(try contents() == new)
            } else if case .system(.synchronizeDirectory, directory.path + "/", code) = failure {
                #expect(try contents() == new)
            } else {
                #expect(try contents() == old)
                guard case .system(_, let failed, code) = failure else {
                    Issue.record("not the failure of a system call: \(String(describing: failure))")
                    return
                }
                #expect(failed.hasPrefix(directory.path))
            }
            let leftovers = try names().filter { $0 != "file" }
            if !forGood { #expect(leftovers == []) }
            for name in leftovers { try FileManager.default.removeItem(atPath: directory.path + "/" + name) }
            index += 1
        }
        // Create, two writes, synchronise, close, open, status, two reads, close, rename, synchronise the directory.
        #expect(index == 12)
    }

    @Test func continuesAfterInterruptionsAndShortWrites() throws {
        let disk = FaultyDisk(.stutter)
        try replace(on: disk)
        #expect(try contents() == new)
        #expect(disk.openFileCount == 0)
    }

    @Test(arguments: [(FaultyDisk.Fault.flippedBit, 0), (.readEnds(after: 9), 9)])
    func refusesWhatReadsBackDifferently(fault: FaultyDisk.Fault, offset: Int) throws {
        let error = #expect(throws: CheckpointError.self) { try replace(on: FaultyDisk(fault)) }
        guard case .readBack(let path, offset) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.hasPrefix(directory.path))
        #expect(
            error?.description == "\(path) at byte \(offset): expected the bytes written, found others when read back")
        #expect(try contents() == old)
        #expect(try names() == ["file"])
    }

    @Test func namesWhatFailed() throws {
        let missing = directory.path + "/missing/file"
        let error = #expect(throws: CheckpointError.self) { try DurableFile.replace(missing, contents: []) }
        guard case .system(.create, let path, ENOENT) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description == "\(path): could not create: no such file or directory")
        #expect(path.hasPrefix(directory.path + "/missing/"))
    }

    @Test func doesNotReplaceADirectory() throws {
        let path = directory.path + "/directory"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: CheckpointError.system(operation: .rename, path: path, code: EISDIR)) {
            try DurableFile.replace(path, contents: [])
        }
        #expect(try names() == ["directory", "file"])
    }

    @Test(arguments: ["", "/", ".", "..", "directory/"])
    func wantsAFileName(path: String) {
        #expect(
            throws: CheckpointError.content(
                path: path, offset: nil, expected: "the path of a file", found: "no file name at its end")
        ) { try DurableFile.replace(path, contents: []) }
    }
}
