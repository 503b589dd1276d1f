import ArgumentParser
import LinkedNet

extension ParsableCommand {
    /// Runs what the arguments ask for. Wrong arguments, and what `body` throws, end the process as `failure` has it.
    package static func run(reporting failure: Failure, _ body: (Self) throws -> Void) {
        let command: Self
        do {
            try Arguments.check()
            command = try parse()
        } catch let error as ArgumentError {
            failure.exitUsage(error.description)
        } catch {
            guard exitCode(for: error) != .success else { exit(withError: error) }
            failure.exitUsage(message(for: error))
        }
        do {
            try body(command)
        } catch {
            failure.exit(error)
        }
    }
}

extension DataSource {
    /// What `--data` may be, and what it is if it isn't given.
    package static let help =
        """
        \(options). (default: CIFAR-10 in data/cifar-10-batches-bin if it is there, else Fashion-MNIST if it is \
        installed, else shapes)
        """
}
