import Foundation
import Testing

@testable import LinkedNet

@Suite struct FileDescriptorTests {
    /// A process that was started without standard descriptors doesn't print into a file of the library.
    @Test func filesNeverTakeStandardDescriptors() async {
        await #expect(processExitsWith: .success) {
            for descriptor in STDIN_FILENO...STDERR_FILENO { close(descriptor) }
            let path = NSTemporaryDirectory() + "linkednet-descriptor-\(UUID().uuidString)"
            let disk = SystemDisk()
            let made = try disk.create(path)
            let others = [try disk.open(path), try disk.append(path)]
            let isFree = (STDIN_FILENO...STDERR_FILENO).allSatisfy { fcntl($0, F_GETFD) == -1 }
            let flags = ([made] + others).map { fcntl($0, F_GETFD) & FD_CLOEXEC }
            unlink(path)
            exit(isFree && !flags.contains(0) && ([made] + others).allSatisfy { $0 > STDERR_FILENO } ? 0 : 1)
        }
    }
}
