/// The command line's arguments, before they are parsed.
package enum Arguments {
    /// Throws unless all arguments are UTF-8. The parser would repair other bytes, and the argument would then name
    /// another file than the user meant.
    package static func check() throws(ArgumentError) {
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            guard String(validatingCString: argument) != nil else { throw ArgumentError(position: index) }
        }
    }
}

/// An argument that is no text.
package struct ArgumentError: Error, CustomStringConvertible {
    /// The number of the argument, counted from 1.
    let position: Int

    package var description: String { "argument \(position): expected UTF-8, found other bytes" }
}
