import Foundation

/// Descriptors 0, 1 and 2.
enum StandardDescriptors {
    /// Opens each closed descriptor of the three on `/dev/null`, as if the caller had done so. Otherwise the next files
    /// that the process opens would take these numbers, and text for people would be written into these files.
    static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The system gives the lowest free number, and the lower numbers are taken. Without the device, the library
            // still gives no file these numbers.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
