import Foundation
import Testing

@testable import LinkedNet

@Suite struct FileDescriptorTests {
    /// A process that was started without standard descriptors doesn't print into a file of the library.
    @Test func filesNeverTakeStandardDescriptors() async {
        await #expect(processExitsWith: .success) {
            let path = NSTemporaryDirectory() + "linkednet-descriptor-\(UUID().uuidString)"
            for descriptor in STDIN_FILENO...STDERR_FILENO { close(descriptor) }
            let disk = SystemDisk()
            let files = [try disk.create(path), try disk.open(path), try disk.append(path)]
            // The test runner's own threads may take a free descriptor at any time, but they don't open this file.
            let standard = (STDIN_FILENO...STDERR_FILENO).map(identity)
            let own = identity(files[0])
            let flags = files.map { fcntl($0, F_GETFD) & FD_CLOEXEC }
            unlink(path)
            if own == nil || standard.contains(own) { exit(2) }
            if files.contains(where: { $0 <= STDERR_FILENO }) { exit(3) }
            exit(flags.contains(0) ? 4 : 0)
        }
    }
}

/// Device and inode of an open file; nil for a closed descriptor.
private func identity(_ descriptor: CInt) -> [UInt64]? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
}
