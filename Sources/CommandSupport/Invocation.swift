import Foundation
import LinkedNet

/// The form in which the user called this command, so that messages show other commands in the same form.
package struct Invocation {
    private enum Form {
        /// A call by `swift run`, with the options before the command's name.
        case package(options: String)
        /// A call by a path, or by a name that is found in PATH. The directory is the text before the last component.
        case path(directory: String)
    }

    private let form: Form

    /// The form of the running process.
    package init() {
        self.init(CommandLine.arguments.first ?? "", environment: ProcessInfo.processInfo.environment)
    }

    /// - Parameter path: the process' first argument. `swift run` replaces its process by the command. The command's
    ///   first argument is then the command's path from the working directory:
    ///   `.build/x86_64-unknown-linux-gnu/debug/train`.
    init(_ path: String, environment: [String: String]) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let directory = parts.dropLast().map { $0 + "/" }.joined()
        // The shell notes the started program here. The note stays when the program replaces itself by another program.
        let started = environment["_"]?.split(separator: "/").last.map(String.init)
        guard !path.hasPrefix("/"), let build = parts.lastIndex(of: ".build"), parts.count - build > 3,
            started != parts.last
        else {
            form = .path(directory: directory)
            return
        }
        let configuration = parts[parts.count - 2].lowercased().hasPrefix("release") ? " -c release" : ""
        let package = parts[..<build].joined(separator: "/")
        let place = package.isEmpty ? "" : " --package-path \(package.quotedForShell)"
        form = .package(options: configuration + place)
    }

    /// The beginning of a command line that calls one of this package's commands.
    package func command(_ name: String) -> String {
        switch form {
        case .package(let options): "swift run\(options) \(name)"
        case .path(let directory): (directory + name).quotedForShell
        }
    }
}
