import ArgumentParser
import LinkedNet

extension ParsableCommand {
    /// Runs what the arguments ask for, and ends the process. Wrong arguments, what `body` throws, and output that
    /// can't be written end it as `failure` has it.
    package static func run(reporting failure: Failure, _ body: (Self) throws -> Void) -> Never {
        // Before anything opens a file.
        StandardDescriptors.occupy()
        let command: Self
        do {
            try Arguments.check()
            command = try parse()
        } catch let error as ArgumentError {
            failure.exitUsage(error.description)
        } catch {
            guard exitCode(for: error) == .success else { failure.exitUsage(message(for: error)) }
            // --help and its like.
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
