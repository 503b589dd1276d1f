import Foundation

/// Standard output or standard error, unbuffered.
package struct Output: Sendable {
    let descriptor: Int32
    private let writer: DescriptorWriter

    package static let standardOutput = Output(STDOUT_FILENO) { code in
        // At once: the command may run for hours more.
        let command = CommandLine.arguments.first?.split(separator: "/").last ?? "error"
        standardError.write("\(command): standard output: could not write: \(text(of: code))\n")
    }
    package static let standardError = Output(STDERR_FILENO)

    private init(_ descriptor: Int32, onFailure: @escaping @Sendable (Int32) -> Void = { _ in }) {
        self.descriptor = descriptor
        writer = DescriptorWriter(descriptor, onFailure: onFailure)
    }

    private static func text(of code: Int32) -> String { String(cString: strerror(code)).lowercased() }

    /// Writes all of `text`, and waits for a reader that is slow. After a reader that is gone, or a failure, nothing
    /// more is written.
    package func write(_ text: String) { writer.write(text) }

    /// Says if everything that was to be written is.
    package func finish() -> Bool { writer.finish() == nil }

    package var isTerminal: Bool { isatty(descriptor) == 1 }
}
