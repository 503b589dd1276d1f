import CommandSupport
import Foundation
import LinkedNet

/// Reports the course of a training to people: a line for each epoch, and progress in between.
final class Reporter: TrainingObserver {
    private let progress: ProgressDisplay
    private var epochs = 0
    private var hasWarned = false

    init(quiet: Bool) {
        progress = ProgressDisplay(.standardOutput, isQuiet: quiet)
    }

    /// Writes a line for people.
    func line(_ line: String) { progress.line(line) }

    /// Removes the progress line.
    func clear() { progress.end() }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        epochs = event.epochs
        progress.show(event)
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        progress.show(event)
        return .proceed
    }

    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        progress.show(event)
        return .proceed
    }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        // Every run of a reproduction meets the same file system.
        if event.warning != nil {
            guard !hasWarned else { return }
            hasWarned = true
        }
        line("\(event)")
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        progress.show(
            event,
            String(
                format: "  epoch %d/%d: loss %.4f, accuracy %.4f, test accuracy %.4f, %.1f s + %.1f s test",
                event.epoch + 1, epochs, event.training.loss, event.training.accuracy, event.test?.accuracy ?? 0,
                event.seconds, event.testSeconds))
        return .proceed
    }

    func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        progress.end()
    }
}
