import Foundation
import LinkedNet

/// How the command ends when something is wrong: one line on standard error, and a status of sysexits.h.
enum Failure {
    static func exitUsage(_ message: String) -> Never {
        exit(EX_USAGE, message + " (see evaluate --help)")
    }

    static func exit(_ error: any Error) -> Never {
        exit(status(of: error), "\(error)")
    }

    /// Says that checkpoints are damaged that are newer than the one that is used.
    static func warn(_ damage: [CheckpointError]) {
        for error in damage {
            FileHandle.standardError.write(Data("evaluate: warning: \(error); using an older checkpoint\n".utf8))
        }
    }

    private static func exit(_ status: Int32, _ message: String) -> Never {
        let line = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .joined(separator: " ")
        FileHandle.standardError.write(Data("evaluate: \(line)\n".utf8))
        Foundation.exit(status)
    }

    private static func status(of error: any Error) -> Int32 {
        switch error {
        case is SettingsError: EX_USAGE
        case let error as DataError: access(error.path, R_OK) == 0 ? EX_DATAERR : EX_NOINPUT
        case CheckpointError.content, is WeightsMismatch, is TrainingError, is ShapeError: EX_DATAERR
        case CheckpointError.system(.open, _, _), CheckpointError.system(.list, _, _): EX_NOINPUT
        case CheckpointError.system, CheckpointError.space: EX_IOERR
        case is OutOfMemory: EX_OSERR
        default: EXIT_FAILURE
        }
    }
}
