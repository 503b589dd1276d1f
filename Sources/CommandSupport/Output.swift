import Foundation

/// Standard output or standard error, unbuffered.
package struct Output {
    let descriptor: Int32

    package static let standardOutput = Output(descriptor: STDOUT_FILENO)
    package static let standardError = Output(descriptor: STDERR_FILENO)

    /// Writes all of `text`; a reader that went away is its own business.
    package func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    package var isTerminal: Bool { isatty(descriptor) == 1 }
}
