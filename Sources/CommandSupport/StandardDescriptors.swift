import Foundation

/// Descriptors 0, 1 and 2.
enum StandardDescriptors {
    /// Opens those that are closed on `/dev/null`, as if the caller had said so. The next files that the process opens
    /// would take their numbers otherwise, and text for people would be written into these files.
    static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The system gives the lowest number that is free, and lower ones are taken. Without the device the library
            // still gives no file these numbers.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
