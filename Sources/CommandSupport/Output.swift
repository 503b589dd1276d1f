import Foundation

/// Standard output or standard error, unbuffered.
package struct Output: Sendable {
    let descriptor: Int32
    private let writer: DescriptorWriter

    package static let standardOutput = Output(STDOUT_FILENO) { code in
        // The message comes at once, because the command may run for hours more.
        let command = CommandLine.arguments.first?.split(separator: "/").last ?? "error"
        standardError.write("\(command): standard output: could not write: \(text(of: code))\n")
    }
    package static let standardError = Output(STDERR_FILENO)

    private init(_ descriptor: Int32, onFailure: @escaping @Sendable (Int32) -> Void = { _ in }) {
        self.descriptor = descriptor
        writer = DescriptorWriter(descriptor, onFailure: onFailure)
    }

    private static func text(of code: Int32) -> String { String(cString: strerror(code)).lowercased() }

    /// Writes all of `text`, and waits for a slow reader. Writes nothing after a failure, or after the reader is gone.
    package func write(_ text: String) { writer.write(text) }

    /// True unless a text could not be written. A reader that is gone is no failure.
    package func finish() -> Bool { writer.finish() == nil }

    package var isTerminal: Bool { isatty(descriptor) == 1 }
}
