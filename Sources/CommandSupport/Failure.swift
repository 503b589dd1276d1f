import Foundation
import LinkedNet
import PaperNetworks

/// How the command ends when something is wrong: one line on standard error, and a status of sysexits.h.
package struct Failure {
    private let command: String

    /// - Parameter command: the command's name, with which the line begins.
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
    /// - Parameter status: what it ends with. Success becomes `EX_IOERR` if what was printed could not be written;
    ///   nobody may take half a result for a whole one.
    package func end(_ status: Int32 = EXIT_SUCCESS) -> Never {
        let isWritten = [Output.standardOutput, .standardError].reduce(true) { $1.finish() && $0 }
        Foundation.exit(status == EXIT_SUCCESS && !isWritten ? EX_IOERR : status)
    }

    /// Says that checkpoints are damaged that are newer than the one that is used.
    package func warn(_ damage: [CheckpointError]) {
        for error in damage { warn("\(error); using an older checkpoint") }
    }

    /// Sets how many threads kernels use: as many as are asked for, but no more than the system gives. Says if these
    /// are fewer, and if `CK_ISA` names instructions that aren't there. To be called while the process has one thread.
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
        // The argument parser lists values one below the other, each after a dash.
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
