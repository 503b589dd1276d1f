import Foundation
import LinkedNet
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Every reader reports a path that is no readable file. The tests use the labels of an IDX pair.
@Suite struct UnreadableFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/labels"
    }

    private func expectError(_ found: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            throws: DataError(path: path, expected: "an IDX file of labels", found: found),
            sourceLocation: sourceLocation
        ) { try IDX.read(images: directory.path + "/images", labels: path, name: "test") }
    }

    @Test func missing() { expectError("no such file or directory") }

    @Test func aDirectory() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        expectError("a directory")
    }

    @Test func aLinkThatLeadsNowhere() throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: directory.path + "/nothing")
        expectError("no such file or directory")
    }

    @Test func aLinkToItself() throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        expectError("too many levels of symbolic links")
    }

    @Test func belowAFile() throws {
        let file = try directory.write("file", [1])
        let below = file + "/labels"
        #expect(throws: DataError(path: below, expected: "an IDX file of labels", found: "not a directory")) {
            try IDX.read(images: file, labels: below, name: "test")
        }
    }

    @Test func aFIFODoesNotBlock() {
        #expect(mkfifo(path, 0o600) == 0)
        expectError("a FIFO")
    }

    @Test func aDevice() {
        #expect(throws: DataError(path: "/dev/null", expected: "an IDX file of labels", found: "a device")) {
            try IDX.read(images: path, labels: "/dev/null", name: "test")
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func withoutPermission() throws {
        try directory.write("labels", IDXTests.labels(1))
        #expect(chmod(path, 0) == 0)
        expectError("permission denied")
    }

    @Test func describesItselfInOneLine() {
        let error = DataError(path: "a.bin", offset: 12, expected: "a label of 0 ..< 10", found: "11")
        #expect(error.description == "a.bin at byte 12: expected a label of 0 ..< 10, found 11")
        #expect(
            DataError(path: "a.bin", expected: "a file", found: "a directory").description
                == "a.bin: expected a file, found a directory")
    }
}
