import ArgumentParser
import LinkedNet

extension ParsableCommand {
    /// Runs `body` with the parsed arguments, and ends the process. After wrong arguments, an error of `body`, or
    /// output that can't be written, `failure` decides the message and the status.
    package static func run(reporting failure: Failure, _ body: (Self) throws -> Void) -> Never {
        // This call comes before the process opens a file.
        StandardDescriptors.occupy()
        let command: Self
        do {
            try Arguments.check()
            command = try parse()
        } catch let error as ArgumentError {
            failure.exitUsage(error.description)
        } catch {
            guard exitCode(for: error) == .success else { failure.exitUsage(message(for: error)) }
            // `--help` and similar options.
            Output.standardOutput.write(fullMessage(for: error) + "\n")
            failure.end()
        }
        do {
            try body(command)
        } catch {
            failure.exit(error)
        }
        failure.end()
    }
}
