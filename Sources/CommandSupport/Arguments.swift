/// The command line's arguments, before they are parsed.
package enum Arguments {
    /// Throws unless all are UTF-8. Parsed, others would be repaired, and name other files than was meant.
    package static func check() throws(ArgumentError) {
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            guard String(validatingCString: argument) != nil else { throw ArgumentError(position: index) }
        }
    }
}

/// An argument that is no text.
package struct ArgumentError: Error, CustomStringConvertible {
    /// Which it is, counted from 1.
    let position: Int

    package var description: String { "argument \(position): expected UTF-8, found other bytes" }
}
