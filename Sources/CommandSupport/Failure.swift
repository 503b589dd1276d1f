import Foundation
import LinkedNet
import PaperNetworks

/// The end of a command after a failure: one line on standard error, and a status of sysexits.h.
package struct Failure {
    private let command: String

    /// - Parameter command: the command's name. The line begins with this name.
    package init(of command: String) {
        self.command = command
    }

    package func exitUsage(_ message: String) -> Never {
        exit(EX_USAGE, message + " (see \(command) --help)")
    }

    package func exit(_ error: any Error) -> Never {
        exit(Self.status(of: error), Self.text(of: error))
    }

    /// Ends the command.
    ///
    /// - Parameter status: the command's status. Success becomes `EX_IOERR` if some output could not be written,
    ///   because nobody may take half a result for a whole result.
    package func end(_ status: Int32 = EXIT_SUCCESS) -> Never {
        let isWritten = [Output.standardOutput, .standardError].reduce(true) { $1.finish() && $0 }
        Foundation.exit(status == EXIT_SUCCESS && !isWritten ? EX_IOERR : status)
    }

    /// Warns about damaged checkpoints that are newer than the checkpoint in use.
    package func warn(_ damage: [CheckpointError]) {
        for error in damage { warn("\(error); using an older checkpoint") }
    }

    /// Sets the number of threads of the kernels to `threads`, but to no more than the system gives; `nil` asks for the
    /// default number. Warns if the system gives fewer threads, if `threads` is more than the number of processors, and
    /// if `CK_ISA` names instructions that the processor doesn't have. Callers call this function while the process has
    /// one thread.
    package func prepareKernels(threads: Int?) {
        if let threads {
            let processors = ProcessInfo.processInfo.activeProcessorCount
            if threads > processors {
                warn("--threads \(threads): there are \(processors) processors; more threads than these are slower")
            }
            Runtime.threadCount = threads
        }
        let wanted = Runtime.threadCount
        if Runtime.fitThreadsToSystem() {
            warn(
                "the system does not give \(wanted) threads and three that load and save (limits of processes: "
                    + "ulimit -u, pids.max); kernels use \(Runtime.threadCount)")
        }
        if let rejected = Runtime.rejectedInstructionSet {
            warn("CK_ISA=\(rejected) is not available here; using \(Runtime.instructionSet)")
        }
    }

    /// A warning for people.
    package func warn(_ message: String) {
        Output.standardError.write("\(command): warning: \(message)\n")
    }

    private func exit(_ status: Int32, _ message: String) -> Never {
        // The argument parser lists values on lines of their own, each after a dash.
        let lines = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        let values = lines.filter { $0.hasPrefix("- ") }.map { $0.dropFirst(2) }.joined(separator: ", ")
        let line = (lines.filter { !$0.hasPrefix("- ") } + (values.isEmpty ? [] : [values])).joined(separator: " ")
        Output.standardError.write("\(command): \(line.printable(longest: 2000))\n")
        Foundation.exit(status)
    }

    /// The error's text. Where the error names a setting, the text names the setting's option.
    package static func text(of error: any Error) -> String {
        switch error {
        case is SettingsError: "--\(error)"
        case TrainingError.mismatch("data", _, _): "--\(error)"
        case let error as RunInUse where error.lockFile != nil: "\(error) (--no-lock)"
        default: "\(error)"
        }
    }

    private static func status(of error: any Error) -> Int32 {
        switch error {
        case is SettingsError, is OptimizerError, is ShapeError, is LinkageError: EX_USAGE
        case let error as DataError: access(error.path, R_OK) == 0 ? EX_DATAERR : EX_NOINPUT
        case CheckpointError.content(let path, _, _, _) where access(path, F_OK) != 0: EX_NOINPUT
        case CheckpointError.content, is WeightsMismatch, is RunMismatch, TrainingError.mismatch: EX_DATAERR
        case CheckpointError.system(.open, _, _), CheckpointError.system(.list, _, _): EX_NOINPUT
        case CheckpointError.system(.create, _, _): EX_CANTCREAT
        case CheckpointError.system, CheckpointError.space, CheckpointError.readBack: EX_IOERR
        case is RunInUse: EX_TEMPFAIL
        case is OutOfMemory, is OutOfThreads: EX_OSERR
        default: EXIT_FAILURE
        }
    }
}
